import NIOCore
import TestSupport

/// One connection of an `HTTPLoad`.
final class HTTPLoadHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let next: @Sendable () -> ByteBuffer?
    private let reply: @Sendable (HTTPReply) -> Void
    private let done: EventLoopPromise<Void>
    private var context: ChannelHandlerContext?
    private var reader = HTTPResponseReader()
    private var sentAt = Moment.now
    private var isDone = false

    init(
        next: @escaping @Sendable () -> ByteBuffer?,
        reply: @escaping @Sendable (HTTPReply) -> Void,
        done: EventLoopPromise<Void>
    ) {
        self.next = next
        self.reply = reply
        self.done = done
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.fail("the server closed the connection, or it took too long")
    }

    /// Sends the first request.
    func begin() {
        guard let context, context.channel.isActive else { return self.fail("closed before it began") }
        self.sendNext(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.reader.append(self.unwrapInboundIn(data))
        do {
            while !self.isDone, let reply = try self.reader.next(sentAt: self.sentAt) {
                self.reply(reply)
                self.sendNext(context)
            }
        } catch {
            self.fail("\(error)")
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.fail("\(error)")
        context.close(promise: nil)
    }

    private func sendNext(_ context: ChannelHandlerContext) {
        guard let request = self.next() else {
            self.isDone = true
            self.done.succeed()
            return context.close(promise: nil)
        }
        self.sentAt = .now
        context.writeAndFlush(self.wrapOutboundOut(request), promise: nil)
    }

    private func fail(_ reason: String) {
        guard !self.isDone else { return }
        self.isDone = true
        self.done.fail(BenchFailure("HTTP: \(reason)"))
    }
}
