import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import TestSupport
import ServiceLifecycle

@testable import WebSocket

/// Hummingbird with WebSockets on a free port, for as long as a closure runs.
///
/// `/echo` is upgraded and run by the handler; `/private` is refused by the router with 401; `/hello` says hello; POST
/// `/length` answers the length of the body; everything else is the router's 404.
struct TestServer: Sendable {
    typealias Handler = @Sendable (WebSocketConnection) async -> Void

    let port: Int
    let services: ServiceGroup

    var url: String { "ws://127.0.0.1:\(self.port)/echo" }

    /// Begins a graceful shutdown.
    func stop() async {
        await self.services.triggerGracefulShutdown()
    }

    static let echo: Handler = { socket in
        do {
            for await message in socket.messages {
                switch message {
                case .text(let text): try await socket.send(text: text)
                case .binary(let bytes): try await socket.send(binary: bytes)
                }
            }
        } catch {
            // The peer has left.
        }
    }

    static func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("hello") { _, _ in "hello" }
        router.get("private") { _, _ -> String in throw HTTPError(.unauthorized) }
        router.post("length") { request, _ in
            let body = try await request.body.collect(upTo: 1_000_000)
            return "\(body.readableBytes)"
        }
        return router
    }
}

@discardableResult
func withServer<R: Sendable>(
    configuration: WebSocketConfiguration = WebSocketConfiguration(),
    limits: HTTPLimits = HTTPLimits(),
    handler: @escaping TestServer.Handler = TestServer.echo,
    decide: WebSocketDecider? = nil,
    _ body: @escaping @Sendable (TestServer) async throws -> R
) async throws -> R {
    let decideByPath: WebSocketDecider = { request, _ in
        request.path == "/echo" ? .upgrade(handler: handler) : .pass
    }
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let application = Application(
        router: TestServer.router(),
        server: .http1WithWebSocket(configuration: configuration, limits: limits, decide: decide ?? decideByPath),
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) },
        logger: logger
    )
    let services = ServiceGroup(configuration: .init(services: [application], logger: logger))
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else { throw NotInTime(description: "server start") }
        let result: R
        do {
            result = try await body(TestServer(port: port, services: services))
        } catch {
            await services.triggerGracefulShutdown()
            throw error
        }
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
        return result
    }
}
