import NIOCore
import NIOHTTP1

/// One connection to the fake provider: collects a request, then writes its answer as fast as it is taken.
///
/// Responses are written as raw bytes: a response encoder would cost more than the rest at the rates of a benchmark.
final class FakeProviderConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private static let bodyBytesMax = 64 * 1024 * 1024
    /// Bytes per write when nothing else limits it.
    private static let writeBytesMax = 8 * 1024

    private let state: FakeProviderState
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    /// The text of the request under way.
    private var text = ""
    /// The answer under way.
    private var answer: FakeProviderAnswer?
    private var isAnswering = false
    /// A turn of the pump that is due, so that there is only one.
    private var pending: Scheduled<Void>?
    /// When the next token of a paced answer is to go.
    private var due: NIODeadline?
    private var isStalled = false

    init(state: FakeProviderState) {
        self.state = state
    }

    func channelActive(context: ChannelHandlerContext) {
        self.state.count {
            $0.connectionsOpened += 1
            $0.connectionsLive += 1
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.pending?.cancel()
        let wasAnswering = self.isAnswering
        self.isAnswering = false
        self.answer = nil
        self.state.count {
            $0.connectionsLive -= 1
            guard wasAnswering else { return }
            $0.answersLive -= 1
            $0.answersAbandoned += 1
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            self.body = []
        case .body(let part):
            guard self.body.count + part.readableBytes <= Self.bodyBytesMax else { return context.close(promise: nil) }
            self.body.append(contentsOf: part.readableBytesView)
        case .end:
            guard let head = self.head.take() else { return }
            let body = self.body
            self.body = []
            self.begin(head, body, context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable, self.isStalled else { return }
        self.isStalled = false
        self.pump(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

// MARK: Requests

extension FakeProviderConnection {
    private func begin(_ head: HTTPRequestHead, _ body: [UInt8], _ context: ChannelHandlerContext) {
        self.isAnswering = true
        self.state.count {
            $0.requests += 1
            $0.answersLive += 1
        }
        if head.uri.hasSuffix("/models"), head.method == .GET {
            return self.send(#"{"object":"list","data":[{"id":"fake-model","object":"model"}]}"#, context)
        }
        guard head.uri.hasSuffix("/chat/completions"), head.method == .POST else {
            return self.refuse(404, "Unknown path \(head.uri)", context)
        }
        let headers = Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
        guard let request = FakeProviderRequest(headers: headers, body: body) else {
            return self.refuse(400, "The body is no chat completion request", context)
        }
        self.text = request.lastUserMessage
        self.state.record(request)
        if let key = self.state.requiredKey, headers["authorization"] != "Bearer \(key)" {
            return self.refuse(401, "Incorrect API key provided", context)
        }
        self.follow(FakeProviderDirectives(in: request.lastUserMessage), request, context)
    }

    private func follow(
        _ directives: FakeProviderDirectives,
        _ request: FakeProviderRequest,
        _ context: ChannelHandlerContext
    ) {
        let marker = directives.marker ?? request.lastUserMessage
        let strikes = directives.fault != nil && self.state.strikes(marker, times: directives.times)
        if strikes, let fault = directives.fault {
            switch fault {
            case .status, .contextTooLong: return self.fail(directives, request, context)
            case .drop: return self.close(context)
            case .hangBeforeHead: return
            default: break
            }
        }
        let answer = FakeProviderAnswer(request, directives, strikes: strikes)
        self.answer = answer
        self.schedule(in: directives.first, context) { [self] in
            if request.stream && !directives.json {
                self.openStream(context)
                self.pump(context)
            } else {
                self.sendWhole(context)
            }
        }
    }

    private func fail(
        _ directives: FakeProviderDirectives,
        _ request: FakeProviderRequest,
        _ context: ChannelHandlerContext
    ) {
        if directives.fault == .contextTooLong {
            let message = "This model's maximum context length is 8192 tokens, the messages have 9000."
            let error = FakeProviderEncoder.error(
                message,
                type: "invalid_request_error",
                code: #""context_length_exceeded""#
            )
            return self.send(error, status: 400, context)
        }
        guard case .status(let status) = directives.fault else { return }
        let retryAfter = directives.retryAfter.map { "Retry-After: \($0)\r\n" } ?? ""
        if directives.html {
            let page = "<html><head><title>\(status) from a proxy</title></head><body>sorry</body></html>"
            return self.send(page, status: status, headers: retryAfter, type: "text/html", context)
        }
        let key = directives.echoKey ? ": \(request.headers["authorization"] ?? "none")" : ""
        let error = FakeProviderEncoder.error("The fake provider refuses\(key)", type: "fake_error", code: "null")
        self.send(error, status: status, headers: retryAfter, context)
    }

    private func refuse(_ status: Int, _ message: String, _ context: ChannelHandlerContext) {
        self.send(
            FakeProviderEncoder.error(message, type: "invalid_request_error", code: "null"),
            status: status,
            context
        )
    }

    /// Runs later, unless the connection ends first.
    private func schedule(in delay: TimeAmount, _ context: ChannelHandlerContext, _ work: @escaping () -> Void) {
        guard delay > .zero else { return work() }
        self.pending = context.eventLoop.assumeIsolated().scheduleTask(in: delay, work)
    }
}

// MARK: Answers

extension FakeProviderConnection {
    private func sendWhole(_ context: ChannelHandlerContext) {
        guard var answer = self.answer else { return }
        let wait = answer.directives.delay * Int64(answer.directives.tokens)
        let json = answer.whole()
        self.answer = nil
        self.state.count { $0.tokens += answer.tokens }
        self.schedule(in: wait, context) { [self] in
            switch answer.directives.fault {
            case .hang where answer.strikes: return
            case .garbage where answer.strikes: self.send("{oops", context)
            case .errorObject where answer.strikes:
                let code = "\(answer.directives.faultStatus)"
                let error = FakeProviderEncoder.error("The fake provider failed", type: "server_error", code: code)
                self.send(error, context)
            case .cut where answer.strikes:
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(json.utf8.count)\r\n\r\n"
                self.write(ByteBuffer(string: head + json.prefix(json.count / 2)), context)
                self.close(context)
            default:
                self.state.answered(self.text)
                self.send(json, context)
            }
        }
    }

    private func send(
        _ body: String,
        status: Int = 200,
        headers: String = "",
        type: String = "application/json",
        _ context: ChannelHandlerContext
    ) {
        self.complete()
        let head = "HTTP/1.1 \(status) Fake\r\nContent-Type: \(type)\r\n\(headers)"
        self.write(ByteBuffer(string: "\(head)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"), context)
    }

    private func openStream(_ context: ChannelHandlerContext) {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
        self.write(ByteBuffer(string: head + "Transfer-Encoding: chunked\r\n\r\n"), context)
    }

    /// Writes the next batch and sees to it that the one after follows.
    private func pump(_ context: ChannelHandlerContext) {
        self.pending = nil
        guard var answer = self.answer else { return }
        guard context.channel.isWritable else {
            self.isStalled = true
            return
        }
        let before = answer.tokens
        var buffer = context.channel.allocator.buffer(capacity: Self.writeBytesMax + 1024)
        let step = Self.fill(&buffer, from: &answer)
        self.answer = answer
        self.state.count { $0.tokens += answer.tokens - before }
        if case .end = step {
            self.state.answered(self.text)
            self.complete()
        }
        self.writeChunk(buffer, split: answer.directives.split, context)
        switch step {
        case .token where answer.directives.delay > .zero:
            // By the clock, not after the last write: lateness must not add up to a slower provider.
            let due = (self.due ?? .now()) + answer.directives.delay
            self.due = due
            self.schedule(in: max(due - .now(), .nanoseconds(1)), context) { [self] in self.pump(context) }
        case .token, .frame:
            // Other connections get their turn in between.
            context.eventLoop.assumeIsolated().execute { [self] in self.pump(context) }
        case .end:
            self.answer = nil
            self.due = nil
            self.write(ByteBuffer(string: "0\r\n\r\n"), context)
        case .cut: self.close(context)
        case .hang: break
        }
    }

    /// Fills the buffer with as many events as go into one write.
    private static func fill(_ buffer: inout ByteBuffer, from answer: inout FakeProviderAnswer)
        -> FakeProviderAnswer.Step
    {
        let tokensMax = answer.directives.batch ?? (answer.directives.delay > .zero ? 1 : Int.max)
        var tokens = 0
        while true {
            let step = answer.next(into: &buffer)
            switch step {
            case .token:
                tokens += 1
                if tokens >= tokensMax || buffer.readableBytes >= self.writeBytesMax { return step }
            case .frame: continue
            case .end, .cut, .hang: return step
            }
        }
    }

    private func writeChunk(_ events: ByteBuffer, split: Int?, _ context: ChannelHandlerContext) {
        guard events.readableBytes > 0 else { return }
        var chunk = context.channel.allocator.buffer(capacity: events.readableBytes + 16)
        chunk.writeString(String(events.readableBytes, radix: 16))
        chunk.writeString("\r\n")
        chunk.writeImmutableBuffer(events)
        chunk.writeString("\r\n")
        guard let split else { return self.write(chunk, context) }
        while let piece = chunk.readSlice(length: min(split, chunk.readableBytes)), piece.readableBytes > 0 {
            self.write(piece, context)
        }
    }

    private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(self.wrapOutboundOut(bytes), promise: nil)
    }

    /// Counts the answer; before its end is written, so that a client that has it finds it counted.
    private func complete() {
        guard self.isAnswering else { return }
        self.isAnswering = false
        self.state.count {
            $0.answersLive -= 1
            $0.answersCompleted += 1
        }
    }

    /// Closes on its own account, which is not the client's abandoning.
    private func close(_ context: ChannelHandlerContext) {
        self.answer = nil
        self.complete()
        context.close(promise: nil)
    }
}
