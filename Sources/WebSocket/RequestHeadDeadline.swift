import NIOCore
import NIOHTTP1

/// Closes a connection that sends no request, or one whose head never ends.
///
/// It sits behind the HTTP decoder: a read that brought bytes but no head is a head under way. Once a head has come,
/// Hummingbird's own idle timer looks after the body.
final class RequestHeadDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case idle
        case readingHead
        case answering
    }

    private let limits: HTTPLimits
    private var phase = Phase.idle
    private var unanswered = 0
    private var timer: Scheduled<Void>?

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.enter(.idle, context: context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.timer?.cancel()
        self.timer = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = Self.unwrapInboundIn(data) {
            self.unanswered += 1
            self.enter(.answering, context: context)
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if self.phase == .idle { self.enter(.readingHead, context: context) }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = Self.unwrapOutboundIn(data) {
            self.unanswered -= 1
            if self.unanswered <= 0 { self.enter(.idle, context: context) }
        }
        context.write(data, promise: promise)
    }

    private func enter(_ phase: Phase, context: ChannelHandlerContext) {
        self.phase = phase
        self.timer?.cancel()
        self.timer = nil
        let limit: Duration
        switch phase {
        case .idle: limit = self.limits.idleTimeout
        case .readingHead: limit = self.limits.headTimeout
        case .answering: return
        }
        let loop = context.eventLoop.assumeIsolated()
        self.timer = loop.scheduleTask(in: TimeAmount(limit)) { context.close(promise: nil) }
    }
}
