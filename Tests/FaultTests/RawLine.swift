import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A connection as its client sees it: what came, and how it ended.
final class RawLine: Sendable {
    enum Ending: Sendable {
        case end, reset
    }

    private struct State {
        var text = ""
        var ending: Ending?
    }

    private let state: StateBox
    private let channel: any Channel

    private final class StateBox: Sendable {
        let value = Mutex(State())
    }

    static func connect(to proxy: FaultProxy) async throws -> RawLine {
        let state = StateBox()
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(state))
                }
            }
        let channel =
            switch proxy.address {
            case .tcp(let host, let port): try await bootstrap.connect(host: host, port: port).get()
            case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
            }
        return RawLine(channel, state)
    }

    private init(_ channel: any Channel, _ state: StateBox) {
        self.channel = channel
        self.state = state
    }

    deinit {
        self.channel.close(promise: nil)
    }

    var text: String { self.state.value.withLock { $0.text } }
    /// Nil while it lives.
    var ending: Ending? { self.state.value.withLock { $0.ending } }
    var isWritable: Bool { self.channel.isWritable }

    func send(_ text: String) {
        self.channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    /// Half-closes it.
    func sendEnd() {
        self.channel.close(mode: .output, promise: nil)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let state: StateBox

        init(_ state: StateBox) {
            self.state = state
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: self.unwrapInboundIn(data))
            self.state.value.withLock { $0.text += text }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard let event = event as? ChannelEvent, event == .inputClosed else { return }
            self.state.value.withLock { $0.ending = $0.ending ?? .end }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            self.state.value.withLock { $0.ending = .reset }
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.state.value.withLock { $0.ending = $0.ending ?? .end }
        }
    }
}
