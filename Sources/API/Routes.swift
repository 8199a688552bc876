import HTTPTypes
import Hummingbird

/// Collects routes and gives every path an answer to the methods it does not have: 405 with `Allow`.
struct Routes {
    typealias Handler = @Sendable (Request, AppContext) async throws -> Response

    private static let methods: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete, .options, .trace]
    private var handlers: [String: [HTTPRequest.Method: Handler]] = [:]

    mutating func on(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        self.handlers[path, default: [:]][method] = handler
    }

    mutating func get(_ path: String, _ handler: @escaping Handler) { self.on(.get, path, handler) }
    mutating func post(_ path: String, _ handler: @escaping Handler) { self.on(.post, path, handler) }
    mutating func patch(_ path: String, _ handler: @escaping Handler) { self.on(.patch, path, handler) }
    mutating func delete(_ path: String, _ handler: @escaping Handler) { self.on(.delete, path, handler) }

    /// Puts everything into a router.
    func register(on router: Router<AppContext>) {
        for (path, handlers) in self.handlers {
            let names = handlers.keys.map(\.rawValue) + (handlers[.get] == nil ? [] : ["HEAD"])
            let allow = names.sorted().joined(separator: ", ")
            for method in Self.methods {
                let handler =
                    handlers[method] ?? { _, _ in
                        throw RequestError(
                            status: .methodNotAllowed,
                            code: "method_not_allowed",
                            message: "\(method.rawValue) is not for this path; it takes \(allow).",
                            headers: [.allow: allow]
                        )
                    }
                router.on(RouterPath(path), method: method, use: handler)
            }
        }
    }
}
