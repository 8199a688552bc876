import NIOCore
import NIOPosix
import Synchronization

/// A server on 127.0.0.1 that answers each piece of bytes as the test says.
final class ScriptedServer: Sendable {
    /// Connection number from 1 and what it sent; nil means silence.
    typealias Script = @Sendable (Int, String) -> String?

    /// What a real server answers to our greeting without login and database.
    static let greeting = "+OK\r\n+PONG\r\n"

    private let counter = Mutex(0)
    private let script: Script

    var connections: Int { self.counter.withLock { $0 } }

    private init(script: @escaping Script) {
        self.script = script
    }

    static func with<Result>(
        script: @escaping Script,
        _ body: (ScriptedServer, String) async throws -> Result
    ) async throws -> Result {
        let server = ScriptedServer(script: script)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandler(Answers(server: server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            let result = try await body(server, "redis://127.0.0.1:\(channel.localAddress?.port ?? 0)")
            try await channel.close()
            return result
        } catch {
            // The body's error is the one to see.
            try? await channel.close()
            throw error
        }
    }

    private final class Answers: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let server: ScriptedServer
        private let number: Int

        init(server: ScriptedServer) {
            self.server = server
            self.number = server.counter.withLock { count in
                count += 1
                return count
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: self.unwrapInboundIn(data))
            guard let answer = self.server.script(self.number, text) else { return }
            context.channel.writeAndFlush(ByteBuffer(string: answer), promise: nil)
        }
    }
}
