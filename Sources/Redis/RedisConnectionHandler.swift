import NIOCore

/// One connection's life on its channel: greets the server, parses its replies, and reports the end once.
final class RedisConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private enum Phase {
        /// Not yet chosen by the link: with several addresses for a host, a slower attempt is thrown away in this phase.
        case silent
        case greeting
        case open
        case ended
    }

    private let link: RedisLink
    private let reader: ReplyReader
    private var greeting: Greeting
    private var phase = Phase.silent
    private var failure: RedisError?
    private var greetingTimeout: Scheduled<Void>?

    init(link: RedisLink) throws(RedisError) {
        self.link = link
        self.reader = try ReplyReader(replyBytesMax: link.configuration.replyBytesMax)
        self.greeting = Greeting(configuration: link.configuration, name: link.name)
    }

    /// Starts the conversation; the link calls it once the channel is connected.
    func begin(on channel: any Channel) {
        guard self.phase == .silent, channel.isActive else { return self.end() }
        self.phase = .greeting
        for command in self.greeting.commands { channel.write(command.encoded, promise: nil) }
        channel.flush()
        let bound = self.link.configuration.connectTimeout
        let loopBound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        self.greetingTimeout = channel.eventLoop.scheduleTask(in: TimeAmount(bound)) {
            let error = RedisError(.notConnected, "connected, but the server did not answer within \(bound)")
            loopBound.value.fail(error, channel)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.failure == nil else { return }
        var replies: [RedisValue] = []
        var violation: RedisError?
        do throws(RedisError) {
            try self.reader.read(self.unwrapInboundIn(data), into: &replies)
        } catch {
            violation = error
        }
        // The whole replies before the nonsense are still answers.
        do throws(RedisError) {
            try self.handle(replies, channel: context.channel)
            if let violation { throw violation }
        } catch {
            self.fail(error, context.channel)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if self.phase == .open, context.channel.isWritable { self.link.connectionWritable() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        // A channel still silent may not be the chosen one; if it is, `begin` will find it inactive.
        if self.phase != .silent { self.end() }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.fail(RedisLink.describe(error), context.channel)
    }

    private func handle(_ replies: [RedisValue], channel: any Channel) throws(RedisError) {
        switch self.phase {
        case .open:
            try self.link.connectionReceived(replies)
        case .greeting:
            var rest = replies[...]
            while !self.greeting.isDone, let reply = rest.popFirst() { try self.greeting.receive(reply) }
            guard self.greeting.isDone else { return }
            self.phase = .open
            self.greetingTimeout?.cancel()
            self.link.connectionReady(channel)
            if !rest.isEmpty { try self.link.connectionReceived(Array(rest)) }
        case .silent, .ended:
            guard let reply = replies.first else { return }
            guard case .error(let message) = reply else {
                throw RedisError(.protocolViolation, "the server spoke before it was asked")
            }
            // "max number of clients reached", protected mode: said on accept.
            throw RedisError(.notConnected, "the server refused the connection: \(message)")
        }
    }

    private func fail(_ error: RedisError, _ channel: any Channel) {
        guard self.phase != .ended else { return }
        if self.failure == nil { self.failure = error }
        channel.close(promise: nil)
    }

    private func end() {
        guard self.phase != .ended else { return }
        self.phase = .ended
        self.greetingTimeout?.cancel()
        self.link.connectionEnded(self.failure ?? RedisError(.notConnected, "the server closed the connection"))
    }
}
