import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import PenguinAPI

/// Turns every failure into its answer: `{"detail", "error": {"code", "message", "retryable"}, "request_id"}`.
///
/// What a client sees is generic; what is behind it goes to the log under the request's id.
struct ErrorResponses: Sendable {
    private static let retryAfterSeconds = "1"

    let requestID: String
    let logger: Logger

    /// The answer to whatever a handler threw.
    func response(to error: any Error) -> Response {
        switch error {
        case let error as PenguinError: self.response(to: error)
        case let error as RequestError:
            self.response(status: error.status, code: error.code, message: error.message, headers: error.headers)
        case let error as HTTPError: self.response(to: error)
        case is CancellationError:
            self.response(
                status: .serviceUnavailable,
                code: "shutting_down",
                message: "Penguin is shutting down.",
                retryable: true,
                headers: [.retryAfter: Self.retryAfterSeconds]
            )
        default: self.bug(error)
        }
    }

    private func response(to error: PenguinError) -> Response {
        switch error.code {
        case .invalid:
            let details = error.problems
            return self.response(
                status: .unprocessableContent,
                code: "validation_failed",
                message: error.message,
                problems: details
            )
        case .notFound: return self.response(to: error, status: .notFound)
        case .conflict: return self.response(to: error, status: .conflict)
        case .keyReused: return self.response(to: error, status: .unprocessableContent)
        case .tooMany: return self.response(to: error, status: .tooManyRequests)
        case .unavailable:
            self.logger.warning("Not available", metadata: ["request": "\(self.requestID)", "error": "\(error)"])
            return self.response(to: error, status: .serviceUnavailable)
        case .internal: return self.bug(error)
        }
    }

    /// The failure under its own code; what may pass says when to come back, in whole seconds.
    private func response(to error: PenguinError, status: HTTPResponse.Status) -> Response {
        let wait = error.retryAfter.map { String(max(1, Int($0.seconds.rounded(.up)))) }
        return self.response(
            status: status,
            code: error.code.rawValue,
            message: error.message,
            retryable: error.isRetryable,
            headers: error.isRetryable ? [.retryAfter: wait ?? Self.retryAfterSeconds] : [:]
        )
    }

    /// What the router and the HTTP layer throw.
    private func response(to error: HTTPError) -> Response {
        switch error.status {
        case .notFound: self.response(status: .notFound, code: "not_found", message: "There is no such path.")
        case .contentTooLarge:
            self.response(status: .contentTooLarge, code: "too_large", message: "The request body is too large.")
        default:
            self.response(
                status: error.status,
                code: "bad_request",
                message: error.body ?? error.status.reasonPhrase
            )
        }
    }

    private func bug(_ error: any Error) -> Response {
        self.logger.error("A request failed", metadata: ["request": "\(self.requestID)", "error": "\(error)"])
        return self.response(
            status: .internalServerError,
            code: "internal",
            message: "Something went wrong in Penguin."
        )
    }

    /// 401, with the scheme that is expected.
    func unauthorized(_ message: String) -> Response {
        self.response(
            status: .unauthorized,
            code: "unauthorized",
            message: message,
            headers: [.wwwAuthenticate: "Bearer"]
        )
    }

    /// The answer to a failure of a job: the provider's fault is a 502, what may pass a 503, a model that is gone a 422.
    func response(to failure: JobFailure) -> Response {
        let status: HTTPResponse.Status =
            switch failure.code {
            case _ where failure.code.hasPrefix("provider_"): .badGateway
            case "unknown_model": .unprocessableContent
            case _ where failure.retryable: .serviceUnavailable
            default: .internalServerError
            }
        return self.response(
            status: status,
            code: failure.code,
            message: failure.message,
            retryable: failure.retryable
        )
    }

    func response(
        status: HTTPResponse.Status,
        code: String,
        message: String,
        retryable: Bool = false,
        problems: [PenguinError.Problem]? = nil,
        headers: HTTPFields = [:]
    ) -> Response {
        let body = Body(
            detail: problems.map(Detail.problems) ?? .text(message),
            error: JobFailure(code: code, message: message, retryable: retryable),
            requestID: self.requestID
        )
        do {
            var response = try Response.json(body, status: status)
            response.headers.append(contentsOf: headers)
            return response
        } catch {
            return Response(status: .internalServerError)
        }
    }

    private enum Detail: Encodable {
        case text(String)
        case problems([PenguinError.Problem])

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .problems(let problems): try container.encode(problems)
            }
        }
    }

    private struct Body: Encodable {
        let detail: Detail
        let error: JobFailure
        let requestID: String

        enum CodingKeys: String, CodingKey {
            case detail, error
            case requestID = "request_id"
        }
    }
}

/// A request that cannot be served as it is.
struct RequestError: Error {
    var status: HTTPResponse.Status
    var code: String
    var message: String
    var headers: HTTPFields = [:]
}

extension Response {
    /// A JSON answer.
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        Response.json(bytes: ByteBuffer(bytes: try JSON.encode(value)), status: status)
    }

    /// An answer that is JSON already.
    static func json(bytes: ByteBuffer, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8"],
            body: .init(byteBuffer: bytes)
        )
    }
}
