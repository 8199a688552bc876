import Domain
import Foundation
import HTTPTypes
import Hummingbird
import PenguinAPI

extension Request {
    /// The body as a JSON object: 415 for another media type, 413 beyond `bytesMax`, 400 when it is not a JSON object.
    func jsonObject(upTo bytesMax: Int, isOptional: Bool = false) async throws -> FieldReader {
        if let type = self.headers[.contentType], !type.lowercased().hasPrefix("application/json") {
            throw RequestError(
                status: .unsupportedMediaType,
                code: "unsupported_media_type",
                message: "The body must be application/json, not '\(type.prefix(100))'."
            )
        }
        var request = self
        let body: ByteBuffer
        do {
            body = try await request.collectBody(upTo: bytesMax)
        } catch let error as any HTTPResponseError where error.status == .contentTooLarge {
            throw RequestError(
                status: .contentTooLarge,
                code: "too_large",
                message: "The body may have \(bytesMax) bytes."
            )
        }
        if isOptional, body.readableBytes == 0 { return FieldReader([:]) }
        do {
            return try FieldReader(json: Data(body.readableBytesView))
        } catch {
            throw RequestError(status: .badRequest, code: "malformed_json", message: error.message)
        }
    }
}
