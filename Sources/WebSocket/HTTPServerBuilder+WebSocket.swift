package import HummingbirdCore

extension HTTPServerBuilder {
    /// An HTTP/1.1 server whose connections can become WebSockets.
    ///
    /// `decide` is asked about every upgrade request; all others, and those it passes, reach the router:
    ///
    ///     Application(router: router, server: .http1WithWebSocket { request, peer in
    ///         guard request.path == "/echo" else { return .pass }
    ///         return .upgrade { socket in
    ///             for await case .text(let text) in socket.messages { try? await socket.send(text: text) }
    ///         }
    ///     })
    package static func http1WithWebSocket(
        configuration: WebSocketConfiguration = WebSocketConfiguration(),
        limits: HTTPLimits = HTTPLimits(),
        decide: @escaping WebSocketDecider
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            WebSocketServerChannel(
                responder: responder,
                configuration: configuration,
                limits: limits,
                decide: decide
            )
        }
    }
}
