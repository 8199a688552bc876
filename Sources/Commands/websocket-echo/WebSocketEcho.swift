import ArgumentParser
import Hummingbird
import HummingbirdCore
import WebSocket

/// Sends every message back as it came, at any path: the partner of WebSocket conformance suites.
@main
struct WebSocketEcho: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "websocket-echo",
        abstract: "Echoes WebSocket messages: text as text, binary as binary, at any path."
    )

    @Option(help: "Port to listen on; 0 takes a free one.")
    var port = 9001

    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"

    @Flag(help: "Decline permessage-deflate.")
    var noCompression = false

    func run() async throws {
        let configuration = WebSocketConfiguration(
            messageBytesMax: 32 * 1_048_576,
            compression: !self.noCompression
        )
        let application = Application(
            router: Router(),
            server: .http1WithWebSocket(configuration: configuration) { _, _ in .upgrade(handler: Self.echo) },
            configuration: ApplicationConfiguration(address: .hostname(self.host, port: self.port))
        )
        try await application.runService()
    }

    @Sendable private static func echo(on socket: WebSocketConnection) async {
        do {
            for await message in socket.messages {
                switch message {
                case .text(let text): try await socket.send(text: text)
                case .binary(let bytes): try await socket.send(binary: bytes)
                }
            }
        } catch {
            // The client left before it got its echo back.
        }
    }
}
