import Domain
import HTTPTypes
package import Hummingbird
import HummingbirdCore
package import Logging
package import PenguinAPI
package import Settings
import WebSocket

/// PenguinAPI over HTTP and WebSocket: the route table, the sockets, and who may come in.
package struct PenguinHTTP: Sendable {
    private let penguin: Penguin
    private let server: Settings.Server
    private let gatekeeper: Gatekeeper
    private let logger: Logger

    package init(penguin: Penguin, server: Settings.Server, logger: Logger) {
        self.penguin = penguin
        self.server = server
        self.gatekeeper = Gatekeeper(keys: server.apiKeys, origins: server.corsOrigins)
        self.logger = logger
    }

    /// The HTTP server as a service; `onListening` gets the port once it accepts connections.
    package func application(
        onListening: @escaping @Sendable (Int) async -> Void
    ) -> some ApplicationProtocol {
        Application(
            router: self.router(),
            server: .http1WithWebSocket(
                configuration: WebSocketConfiguration(messageBytesMax: self.server.webSocketMessageBytesMax),
                decide: { request, _ in self.decide(request) }
            ),
            configuration: .init(address: .hostname(self.server.host, port: self.server.port)),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
            logger: Self.quiet(self.logger)
        )
    }

    /// The framework's own line about listening is the caller's to say.
    private static func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        return quiet
    }

    private func router() -> Router<AppContext> {
        var routes = Routes()
        let bodyBytesMax = self.server.bodyBytesMax
        ChatRoutes(penguin: self.penguin, bodyBytesMax: bodyBytesMax, logger: self.logger).add(to: &routes)
        JobRoutes(penguin: self.penguin, bodyBytesMax: bodyBytesMax).add(to: &routes)
        QueueRoutes(penguin: self.penguin, bodyBytesMax: bodyBytesMax).add(to: &routes)
        ConversationRoutes(penguin: self.penguin, bodyBytesMax: bodyBytesMax).add(to: &routes)
        ProbeRoutes(penguin: self.penguin).add(to: &routes)
        PageRoutes().add(to: &routes)
        let router = Router(context: AppContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: GateMiddleware(gatekeeper: self.gatekeeper, logger: self.logger))
        routes.register(on: router)
        return router
    }

    /// An upgrade that is not for us, or not allowed, goes to the router, which answers it as any other request.
    private func decide(_ request: HTTPRequest) -> WebSocketDecision {
        guard case .allowed(let caller) = self.gatekeeper.judge(request) else { return .pass }
        switch request.path?.split(separator: "?").first {
        case "/api/v1/chat/stream":
            let socket = ChatSocket(penguin: self.penguin, tenant: caller.tenant, logger: self.logger)
            return .upgrade { await socket.run($0) }
        default: return .pass
        }
    }
}
