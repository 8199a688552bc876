import DequeModule
import NIOCore

/// The logic of a subscriber's connection, without the connection: who listens to what, and what the server owes us.
///
/// Each channel is subscribed once on the server however many listeners it has. Acknowledgements come in the order of
/// the commands, so `expected` holds what the next one must be; a generation keeps an acknowledgement from being taken
/// for that of a later subscription to the same channel. Every function decides; nothing here calls anybody.
struct SubscriptionState: Sendable {
    typealias Receive = @Sendable (RedisSubscriptionEvent) -> Void
    /// Ends the caller's wait: nil is success.
    typealias Acknowledge = @Sendable (RedisError?) -> Void

    struct Listener: Sendable {
        var id: UInt64
        var receive: Receive
        /// Set until the caller has its answer; such a listener gets no events.
        var acknowledge: Acknowledge?
        /// Was told `.interrupted` and not yet `.resubscribed`.
        var isInterrupted = false
    }

    /// What is to be done, in this order and outside the lock.
    enum Order: Sendable {
        case deliver([Listener], RedisSubscriptionEvent)
        /// Ends the wait of a listener that has `acknowledge`.
        case answer(Listener, RedisError?)
        /// Nothing but to let them go: their closures may own what calls the subscriber when it is freed.
        case release([Listener])
    }

    enum Subscribed {
        /// The channel is subscribed already.
        case now
        /// `acknowledge` will be called; `flush`: `takeForWriting` is to be called.
        case later(flush: Bool)
        case refused(RedisError)
    }

    /// A listener that was taken out, to be let go outside the lock; `flush`: there is an `UNSUBSCRIBE` to write.
    struct Removed: Sendable {
        var listener: Listener?
        var flush = false
    }

    private struct Topic {
        var generation: UInt64
        var isAcknowledged = false
        /// A `SUBSCRIBE` is on its way.
        var isRequested = false
        var listeners: [Listener] = []
    }

    private enum Expected {
        case subscribed(ByteBuffer, generation: UInt64)
        case unsubscribed(ByteBuffer)
        case pong
    }

    let listenersMax: Int
    let expectedMax: Int
    private var topics: [ByteBuffer: Topic] = [:]
    private var expected: Deque<Expected> = []
    private var unsent: [ByteBuffer] = []
    private var isConnected = false
    private(set) var isClosed = false
    private var lastGeneration: UInt64 = 0
    private var lastFailure: RedisError?
    private(set) var listenerCount = 0

    init(listenersMax: Int, expectedMax: Int) {
        self.listenersMax = listenersMax
        self.expectedMax = expectedMax
    }

    var channelCount: Int { self.topics.count }

    // MARK: Callers

    mutating func subscribe(
        _ id: UInt64,
        to channel: ByteBuffer,
        receive: @escaping Receive,
        acknowledge: @escaping Acknowledge
    ) -> Subscribed {
        guard !self.isClosed else { return .refused(RedisError(.closed, "the subscriber is closed")) }
        guard self.listenerCount < self.listenersMax, self.expected.count < self.expectedMax else {
            return .refused(RedisError(.queueFull, "\(self.listenerCount) subscriptions exist"))
        }
        self.listenerCount += 1
        var listener = Listener(id: id, receive: receive, acknowledge: acknowledge)
        guard let topic = self.topics[channel] else {
            self.topics[channel] = Topic(generation: 0, listeners: [listener])
            return .later(flush: self.isConnected && self.requestSubscription(channel))
        }
        if topic.isAcknowledged { listener.acknowledge = nil }
        self.topics[channel]?.listeners.append(listener)
        if topic.isAcknowledged { return .now }
        // Not requested while connected: the server has refused it to others, and is asked again.
        return .later(flush: self.isConnected && !topic.isRequested && self.requestSubscription(channel))
    }

    /// Takes a listener out, and with the last one its channel.
    mutating func remove(_ id: UInt64, from channel: ByteBuffer) -> Removed {
        guard let index = self.topics[channel]?.listeners.firstIndex(where: { $0.id == id }),
            let listener = self.topics[channel]?.listeners.remove(at: index)
        else { return Removed() }
        self.listenerCount -= 1
        guard self.topics[channel]?.listeners.isEmpty == true else { return Removed(listener: listener) }
        self.topics[channel] = nil
        guard self.isConnected else { return Removed(listener: listener) }
        self.unsent.append(RedisCommand("UNSUBSCRIBE", .bytes(channel)).encoded)
        self.expected.append(.unsubscribed(channel))
        return Removed(listener: listener, flush: true)
    }

    /// True while the caller of `subscribe` has no answer.
    func isWaiting(_ id: UInt64, for channel: ByteBuffer) -> Bool {
        self.topics[channel]?.listeners.contains { $0.id == id && $0.acknowledge != nil } ?? false
    }

    /// Why somebody's wait for an acknowledgement was in vain.
    func overdue(_ channel: ByteBuffer) -> RedisError {
        guard !self.isConnected else {
            return RedisError(.timeout, "SUBSCRIBE \(String(buffer: channel)) was not acknowledged in time")
        }
        return .noConnection(for: "SUBSCRIBE \(String(buffer: channel))", because: self.lastFailure)
    }

    // MARK: Connection

    /// Asks for every channel anew.
    mutating func connected() {
        self.isConnected = true
        self.lastFailure = nil
        for channel in self.topics.keys { _ = self.requestSubscription(channel) }
    }

    mutating func disconnected(_ error: RedisError) -> [Order] {
        guard !self.isClosed else { return [] }
        self.lastFailure = error
        return self.forgetConnection()
    }

    mutating func close() -> [Order] {
        guard !self.isClosed else { return [] }
        var orders = self.forgetConnection()
        self.isClosed = true
        let error = RedisError(.closed, "the subscriber was closed")
        for topic in self.topics.values {
            orders += topic.listeners.filter { $0.acknowledge != nil }.map { .answer($0, error) }
            orders.append(.release(topic.listeners))
        }
        self.topics = [:]
        self.listenerCount = 0
        return orders
    }

    mutating func ping() {
        self.unsent.append(RedisCommand("PING").encoded)
        self.expected.append(.pong)
    }

    mutating func takeForWriting() -> [ByteBuffer] {
        defer { self.unsent = [] }
        return self.unsent
    }

    /// Takes the next thing the server said.
    ///
    /// Throws `.protocolViolation` for what nobody asked for.
    mutating func receive(_ reply: RedisValue, orders: inout [Order]) throws(RedisError) {
        switch reply {
        case .array(let parts) where parts.count >= 2:
            guard case .bulk(let kind) = parts[0] else { throw self.unexpected("an array without a kind") }
            if parts.count == 3, kind == Self.message, case .bulk(let channel) = parts[1],
                case .bulk(let payload) = parts[2]
            {
                return self.deliver(payload, on: channel, orders: &orders)
            }
            try self.acknowledge(kind, parts[1], orders: &orders)
        case .simple("PONG"):
            guard case .pong? = self.expected.popFirst() else { throw self.unexpected("PONG") }
        case .error(let message):
            try self.refused(message, orders: &orders)
        default:
            throw self.unexpected("a reply that is no subscription's")
        }
    }
}

extension SubscriptionState {
    private static let message = ByteBuffer(string: "message")
    private static let subscribe = ByteBuffer(string: "subscribe")
    private static let unsubscribe = ByteBuffer(string: "unsubscribe")
    private static let pong = ByteBuffer(string: "pong")

    /// Always true: there is something to flush.
    private mutating func requestSubscription(_ channel: ByteBuffer) -> Bool {
        self.lastGeneration += 1
        self.topics[channel]?.generation = self.lastGeneration
        self.topics[channel]?.isRequested = true
        self.unsent.append(RedisCommand("SUBSCRIBE", .bytes(channel)).encoded)
        self.expected.append(.subscribed(channel, generation: self.lastGeneration))
        return true
    }

    private func deliver(_ payload: ByteBuffer, on channel: ByteBuffer, orders: inout [Order]) {
        // Unacknowledged: what an earlier, given-up subscription to this channel still brings.
        guard let topic = self.topics[channel], topic.isAcknowledged else { return }
        orders.append(.deliver(topic.listeners, .message(payload)))
    }

    private mutating func acknowledge(
        _ kind: ByteBuffer,
        _ channel: RedisValue,
        orders: inout [Order]
    ) throws(RedisError) {
        switch (self.expected.popFirst(), kind) {
        case (.subscribed(let wanted, let generation), Self.subscribe) where channel == .bulk(wanted):
            self.subscribed(wanted, generation: generation, orders: &orders)
        case (.unsubscribed(let wanted), Self.unsubscribe) where channel == .bulk(wanted):
            break
        case (.pong, Self.pong):
            break
        default:
            throw self.unexpected("an acknowledgement out of order")
        }
    }

    private mutating func subscribed(_ channel: ByteBuffer, generation: UInt64, orders: inout [Order]) {
        guard var topic = self.topics[channel], topic.generation == generation else { return }
        topic.isAcknowledged = true
        topic.isRequested = false
        let interrupted = topic.listeners.filter(\.isInterrupted)
        if !interrupted.isEmpty { orders.append(.deliver(interrupted, .resubscribed)) }
        for index in topic.listeners.indices {
            topic.listeners[index].isInterrupted = false
            guard topic.listeners[index].acknowledge != nil else { continue }
            orders.append(.answer(topic.listeners[index], nil))
            topic.listeners[index].acknowledge = nil
        }
        self.topics[channel] = topic
    }

    /// An error answers the oldest command.
    private mutating func refused(_ message: String, orders: inout [Order]) throws(RedisError) {
        switch self.expected.popFirst() {
        case .subscribed(let channel, let generation):
            self.refusedSubscription(channel, generation, RedisError(.server, message), orders: &orders)
        case .pong:
            // An ACL without PING: an answer all the same, and so a sign of life.
            break
        case .unsubscribed, nil:
            throw self.unexpected("the error '\(message)'")
        }
    }

    /// An ACL forbids the channel: its waiters are told; those who had it before stay interrupted until the server
    /// allows it again, which the next `subscribe` or connection finds out.
    private mutating func refusedSubscription(
        _ channel: ByteBuffer,
        _ generation: UInt64,
        _ error: RedisError,
        orders: inout [Order]
    ) {
        guard let topic = self.topics[channel], topic.generation == generation else { return }
        let waiting = topic.listeners.filter { $0.acknowledge != nil }
        orders += waiting.map { .answer($0, error) }
        let kept = topic.listeners.filter { $0.acknowledge == nil }
        self.listenerCount -= waiting.count
        self.topics[channel] = kept.isEmpty ? nil : Topic(generation: generation, listeners: kept)
    }

    private mutating func forgetConnection() -> [Order] {
        self.isConnected = false
        self.expected = []
        self.unsent = []
        var orders: [Order] = []
        for (channel, topic) in self.topics {
            self.topics[channel]?.isAcknowledged = false
            self.topics[channel]?.isRequested = false
            let hearing = topic.listeners.filter { $0.acknowledge == nil && !$0.isInterrupted }
            if !hearing.isEmpty { orders.append(.deliver(hearing, .interrupted)) }
            for index in topic.listeners.indices where topic.listeners[index].acknowledge == nil {
                self.topics[channel]?.listeners[index].isInterrupted = true
            }
        }
        return orders
    }

    private func unexpected(_ what: String) -> RedisError {
        RedisError(.protocolViolation, "the server sent \(what) to a subscriber")
    }
}
