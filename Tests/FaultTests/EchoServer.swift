import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A server that sends back what it gets, and its end too unless told otherwise.
final class EchoServer: Sendable {
    private struct State {
        var received = 0
        var live = 0
        var ends = 0
        var channels: [any Channel] = []
        var port = 0
    }

    private let state = Mutex(State())
    private let answersEnd: Bool

    fileprivate init(answersEnd: Bool) {
        self.answersEnd = answersEnd
    }

    var address: FaultProxy.Address { .tcp(host: "127.0.0.1", port: self.state.withLock { $0.port }) }
    /// Bytes of all connections.
    var received: Int { self.state.withLock { $0.received } }
    var live: Int { self.state.withLock { $0.live } }
    /// Ends of a stream that were read.
    var ends: Int { self.state.withLock { $0.ends } }

    /// Says something that nobody asked for.
    func sendToAll(_ text: String) {
        for channel in self.state.withLock({ $0.channels }) {
            channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        }
    }

    fileprivate func listen() async throws -> any Channel {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.state.withLock { $0.port = listener.localAddress?.port ?? 0 }
        return listener
    }

    fileprivate func closeAll() {
        for channel in self.state.withLock({ $0.channels }) { channel.close(promise: nil) }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let server: EchoServer

        init(_ server: EchoServer) {
            self.server = server
        }

        func channelActive(context: ChannelHandlerContext) {
            let channel = context.channel
            self.server.state.withLock {
                $0.live += 1
                $0.channels.append(channel)
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.server.state.withLock { $0.live -= 1 }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = self.unwrapInboundIn(data)
            self.server.state.withLock { $0.received += bytes.readableBytes }
            context.channel.writeAndFlush(bytes, promise: nil)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard let event = event as? ChannelEvent, event == .inputClosed else { return }
            self.server.state.withLock { $0.ends += 1 }
            if self.server.answersEnd { context.close(promise: nil) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}

/// Runs `body` with one that ends afterwards.
func withEcho<R>(
    answersEnd: Bool = true,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (EchoServer) async throws -> R
) async throws -> R {
    let server = EchoServer(answersEnd: answersEnd)
    let listener = try await server.listen()
    defer {
        listener.close(promise: nil)
        server.closeAll()
    }
    return try await body(server)
}
