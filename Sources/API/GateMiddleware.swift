import Domain
import HTTPTypes
import Hummingbird
import Logging
import PenguinAPI

/// The first to see a request and the last to see its answer: request id, gatekeeper, errors, CORS.
struct GateMiddleware: RouterMiddleware {
    let gatekeeper: Gatekeeper
    let logger: Logger

    func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.requestID = RequestID.taken(from: request) ?? RequestID.make()
        let start = ContinuousClock.now
        var response = await self.answer(request, context: &context, next: next)
        response.headers[.xRequestID] = context.requestID
        CORS.add(to: &response, for: request, gatekeeper: self.gatekeeper)
        self.logger.debug(
            "Request",
            metadata: [
                "request": "\(context.requestID)", "method": "\(request.method)", "path": "\(request.uri.path)",
                "status": "\(response.status.code)", "ms": "\(start.duration(to: .now).milliseconds)",
            ]
        )
        return response
    }

    private func answer(
        _ request: Request,
        context: inout AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async -> Response {
        let errors = ErrorResponses(requestID: context.requestID, logger: self.logger)
        if CORS.isPreflight(request) { return CORS.preflight(request, gatekeeper: self.gatekeeper) }
        // Probes of an orchestrator carry no key and tell nothing of anybody's data.
        if !ProbeRoutes.paths.contains(request.uri.path) {
            switch self.gatekeeper.judge(request.head) {
            case .allowed(let caller): context.caller = caller
            case .unauthorized(let text): return errors.unauthorized(text)
            case .forbidden(let text): return errors.response(status: .forbidden, code: "forbidden", message: text)
            }
        }
        do {
            return try await next(request, context)
        } catch {
            return errors.response(to: error)
        }
    }
}

/// The ids by which a request is found again in the logs.
enum RequestID {
    private static let lengthMax = 128

    /// The client's own, if it is a plain token.
    static func taken(from request: Request) -> String? {
        guard let id = request.headers[.xRequestID], (1...Self.lengthMax).contains(id.utf8.count),
            id.utf8.allSatisfy({
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || $0 == 45 || $0 == 46 || $0 == 95
            })
        else { return nil }
        return id
    }

    static func make() -> String {
        "req_" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    }
}

extension HTTPField.Name {
    static let xRequestID = Self.known("X-Request-Id")
    static let prefer = Self.known("Prefer")
    static let accelBuffering = Self.known("X-Accel-Buffering")
    static let lastEventID = Self.known("Last-Event-ID")
    static let idempotencyKey = Self.known("Idempotency-Key")
    static let idempotentReplayed = Self.known("Idempotent-Replayed")

    /// A name that is spelled right in this file.
    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("'\(name)' is no header name") }
        return name
    }
}
