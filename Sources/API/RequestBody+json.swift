import Domain
import Foundation
import HTTPTypes
import Hummingbird
import PenguinAPI

extension Request {
    /// The body as a JSON object: 415 for another media type, 413 beyond `bytesMax`, 400 when it is not a JSON object.
    func jsonObject(upTo bytesMax: Int, isOptional: Bool = false) async throws -> FieldReader {
        if let type = self.headers[.contentType], !Self.isJSON(type) {
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

    /// The media type alone counts: parameters such as a charset may follow.
    private static func isJSON(_ contentType: String) -> Bool {
        let type = contentType.split(separator: ";", maxSplits: 1).first ?? ""
        return type.trimmingCharacters(in: .whitespaces).lowercased() == "application/json"
    }
}
