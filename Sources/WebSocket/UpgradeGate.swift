import HTTPTypes
import NIOCore
import NIOHTTP1

/// Decides on an upgrade before NIO's upgrade handler sees the request.
///
/// That handler loses a request with an `Upgrade` header that nobody wants to upgrade: the client never gets an
/// answer. So the gate holds such a request, asks, and lets through either a request that will be upgraded, or one
/// without its upgrade headers, which the router answers. It stays for as long as the connection speaks HTTP, because
/// the parser stops after every request that asks for an upgrade: such a connection is closed after its answer.
final class UpgradeGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// An upgrade that is going to happen.
    struct Accepted {
        let request: HTTPRequest
        let agreement: DeflateAgreement?
        let handler: @Sendable (WebSocketConnection) async -> Void
    }

    private enum Phase {
        case firstHead
        /// The head and what follows it wait for the decision.
        case deciding(HTTPRequestHead, held: [HTTPServerRequestPart])
        case http
        /// The HTTP handlers are leaving: what passes may be bytes.
        case upgrading(Accepted)
        /// Answered by the gate itself: the rest is thrown away.
        case refused
    }

    private let limits: HTTPLimits
    private let compresses: Bool
    private let decide: WebSocketDecider
    private var phase = Phase.firstHead
    private var isReadHeld = false
    private var isQuiescing = false
    private var requests = 0
    private var responses = 0
    /// The request after which the connection is closed; nothing follows it.
    private var lastRequest: Int?
    private var decision: Task<Void, Never>?
    private var deadline: Scheduled<Void>?

    init(limits: HTTPLimits, compresses: Bool, decide: @escaping WebSocketDecider) {
        self.limits = limits
        self.compresses = compresses
        self.decide = decide
    }

    /// What was accepted, and whether the server has begun to shut down since.
    var accepted: (upgrade: Accepted, isQuiescing: Bool)? {
        guard case .upgrading(let accepted) = self.phase else { return nil }
        return (accepted, self.isQuiescing)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.stopDeciding()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.stopDeciding()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Later errors are answered by the HTTP channel, in their order among the responses.
        if error is HTTPParserError, case .firstHead = self.phase {
            self.refuse(.badRequest, context: context)
        } else {
            context.fireErrorCaught(error)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            self.isQuiescing = true
            if case .firstHead = self.phase { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func read(context: ChannelHandlerContext) {
        if case .deciding = self.phase {
            self.isReadHeld = true
        } else {
            context.read()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.phase {
        case .upgrading:
            context.fireChannelRead(data)
        case .refused:
            break
        case .deciding(let head, var held):
            held.append(Self.unwrapInboundIn(data))
            self.phase = .deciding(head, held: held)
        case .firstHead, .http:
            guard case .head(let head) = Self.unwrapInboundIn(data) else {
                context.fireChannelRead(data)
                return
            }
            self.receive(head, context: context)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .http = self.phase else {
            context.write(data, promise: promise)
            return
        }
        switch Self.unwrapOutboundIn(data) {
        case .head(var head) where self.responses + 1 == self.lastRequest && head.status.code >= 200:
            head.headers.replaceOrAdd(name: "connection", value: "close")
            context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            self.responses += 1
            fallthrough
        default:
            context.write(data, promise: promise)
        }
    }

    private func receive(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        if case .firstHead = self.phase, let upgrade = UpgradeRequest(head) {
            self.phase = .deciding(head, held: [])
            self.ask(upgrade, context: context)
        } else {
            self.phase = .http
            self.pass(head, context: context)
        }
    }

    private func ask(_ upgrade: UpgradeRequest, context: ChannelHandlerContext) {
        let peer = context.remoteAddress?.ipAddress
        let gate = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        // Cancelled when the connection closes or the decision takes too long; nobody needs its value.
        self.decision = Task { [decide, eventLoop = context.eventLoop] in
            let decision = await decide(upgrade.request, peer)
            eventLoop.execute {
                let (gate, context) = gate.value
                gate.decided(decision, upgrade, context: context)
            }
        }
        let loop = context.eventLoop.assumeIsolated()
        self.deadline = loop.scheduleTask(in: TimeAmount(self.limits.decisionTimeout)) {
            self.refuse(.serviceUnavailable, context: context)
        }
    }

    private func decided(_ decision: WebSocketDecision, _ upgrade: UpgradeRequest, context: ChannelHandlerContext) {
        guard case .deciding(let head, let held) = self.phase else { return }
        self.stopDeciding()
        switch decision {
        case .upgrade where self.isQuiescing:
            self.refuse(.serviceUnavailable, context: context)
        case .upgrade(let handler):
            if let fault = upgrade.fault {
                self.refuse(fault, context: context)
                return
            }
            let agreement = self.compresses ? DeflateAgreement(answering: upgrade.extensions) : nil
            self.phase = .upgrading(Accepted(request: upgrade.request, agreement: agreement, handler: handler))
            context.fireChannelRead(Self.wrapInboundOut(.head(head)))
            self.release(held, context: context)
        case .pass:
            self.phase = .http
            self.pass(head, context: context)
            self.release(held, context: context)
        }
    }

    private func release(_ held: [HTTPServerRequestPart], context: ChannelHandlerContext) {
        for part in held {
            context.fireChannelRead(Self.wrapInboundOut(part))
        }
        context.fireChannelReadComplete()
        if self.isReadHeld {
            self.isReadHeld = false
            context.read()
        }
    }

    /// Lets a request through that will not be upgraded.
    private func pass(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        var head = head
        self.sendContinue(head, context: context)
        self.requests += 1
        let isLast = head.asksForUpgrade || head.method == .CONNECT || !head.isKeepAlive
        for name in ["upgrade", "http2-settings"] { head.headers.remove(name: name) }
        if isLast {
            self.lastRequest = self.requests
            head.headers.replaceOrAdd(name: "connection", value: "close")
        }
        context.fireChannelRead(Self.wrapInboundOut(.head(head)))
    }

    /// Tells a client that waits with its body to send it, unless an earlier answer is still under way.
    private func sendContinue(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        guard head.version.minor >= 1, head.headers.hasToken("100-continue", in: "expect"),
            self.requests == self.responses
        else { return }
        let response = HTTPResponseHead(version: .http1_1, status: .continue)
        context.writeAndFlush(Self.wrapOutboundOut(.head(response)), promise: nil)
    }

    /// Answers by itself and closes, in that order: its own direction first, so that the answer is not lost in a reset.
    private func refuse(_ status: HTTPResponseStatus, context: ChannelHandlerContext) {
        self.stopDeciding()
        self.phase = .refused
        var headers = HTTPHeaders([("connection", "close"), ("content-length", "0")])
        if status == .upgradeRequired { headers.add(name: "sec-websocket-version", value: "13") }
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        context.close(mode: .output, promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { context.close(promise: nil) }
        context.read()
    }

    private func stopDeciding() {
        self.decision?.cancel()
        self.decision = nil
        self.deadline?.cancel()
        self.deadline = nil
    }
}
