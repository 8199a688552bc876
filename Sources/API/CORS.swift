import HTTPTypes
import Hummingbird

/// Which pages of other origins may read our answers: the local ones while there are no keys, and those configured.
enum CORS {
    private static let methods = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
    private static let requestHeaders =
        "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer, X-API-Key, X-Request-Id"
    private static let exposedHeaders = "Idempotent-Replayed, Location, Retry-After, X-Request-Id"
    private static let maxAgeSeconds = "600"

    static func isPreflight(_ request: Request) -> Bool {
        request.method == .options && request.headers[.accessControlRequestMethod] != nil
    }

    static func preflight(_ request: Request, gatekeeper: Gatekeeper) -> Response {
        var response = Response(status: .noContent)
        guard let origin = request.headers[.origin], gatekeeper.isAllowed(origin: origin) else { return response }
        response.headers[.accessControlAllowMethods] = Self.methods
        response.headers[.accessControlAllowHeaders] = Self.requestHeaders
        response.headers[.accessControlMaxAge] = Self.maxAgeSeconds
        return response
    }

    static func add(to response: inout Response, for request: Request, gatekeeper: Gatekeeper) {
        guard let origin = request.headers[.origin] else { return }
        response.headers[.vary] = "Origin"
        guard gatekeeper.isAllowed(origin: origin) else { return }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] = Self.exposedHeaders
    }
}
