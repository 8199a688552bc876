package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// One connection for any number of pub/sub subscriptions; it comes back after a loss and subscribes everything again.
///
/// Silence of 10 s is answered with a `PING`; when that stays unanswered for `commandTimeout` the connection counts as
/// dead. The connection is the only one that Redis may cut for reading too slowly (`client-output-buffer-limit
/// pubsub`); that too is an `.interrupted` followed by a `.resubscribed`.
package final class RedisSubscriber: Sendable {
    private struct State {
        var subscriptions: SubscriptionState
        var lastID: UInt64 = 0
        /// Set while connected.
        var channel: (any Channel)?
        var keepalive: KeepaliveState?
        /// A flush is scheduled on the event loop.
        var flushScheduled = false
    }

    package let configuration: RedisConfiguration
    private let link: RedisLink
    private let state: Mutex<State>

    /// Nothing happens before `run()`; `name` is shown by `CLIENT LIST` and in the log.
    package init(
        _ configuration: RedisConfiguration,
        name: String,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger
    ) {
        self.configuration = configuration
        self.link = RedisLink(
            configuration: configuration,
            name: name,
            eventLoop: eventLoopGroup.next(),
            logger: logger
        )
        let subscriptions = SubscriptionState(
            listenersMax: configuration.subscriptionsMax,
            expectedMax: configuration.queuedCommandsMax
        )
        self.state = Mutex(State(subscriptions: subscriptions))
    }

    package var isConnected: Bool { self.state.withLock { $0.channel != nil } }

    /// Subscribes to a channel and returns when the server has acknowledged it: whatever is published from then on arrives.
    ///
    /// `receive` is called on the event loop, one event after the other, and must not block; a message can come before
    /// this returns. Subscriptions to one channel share the server's. Without a connection this waits for one, up to
    /// `timeout` (`commandTimeout`, 5 s); throws `.server` when an ACL forbids the channel. The result must be kept:
    /// the subscription ends with it.
    package func subscribe(
        to channel: String,
        timeout: Duration? = nil,
        _ receive: @escaping @Sendable (RedisSubscriptionEvent) -> Void
    ) async throws(RedisError) -> RedisSubscription {
        let key = ByteBuffer(string: channel)
        let id = self.state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let limit = timeout ?? self.configuration.commandTimeout
        if let error = await self.acknowledgement(of: id, key, within: limit, receive) { throw error }
        return RedisSubscription(channel: channel) { self.remove(id, key) }
    }

    /// Ends the connection at once and for good; those who still wait get `.closed`, subscriptions get `.interrupted`.
    package func close() async {
        // On the event loop, so that no event overtakes another.
        _ = try? await self.link.eventLoop.submit { self.linkStopped() }.get()
        self.link.stop()
        await self.link.waitUntilEnded()
    }
}

extension RedisSubscriber: Service {
    /// Connects and reconnects as `RedisClient.run()` does, and ends and throws like it.
    package func run() async throws {
        try await withGracefulShutdownHandler {
            try await self.link.run(for: self)
        } onGracefulShutdown: {
            self.link.stop()
        }
    }
}

// MARK: Callers

extension RedisSubscriber {
    /// Nil when the server has acknowledged.
    private func acknowledgement(
        of id: UInt64,
        _ channel: ByteBuffer,
        within limit: Duration,
        _ receive: @escaping SubscriptionState.Receive
    ) async -> RedisError? {
        let hook = CancellationHook()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let subscribed = self.state.withLock { state in
                    state.subscriptions.subscribe(id, to: channel, receive: receive) {
                        continuation.resume(returning: $0)
                    }
                }
                switch subscribed {
                case .now: return continuation.resume(returning: nil)
                case .refused(let error): return continuation.resume(returning: error)
                case .later(let flush): if flush { self.scheduleFlush() }
                }
                // Nothing happens in it when the answer was there before.
                self.link.eventLoop.scheduleTask(in: TimeAmount(limit)) { self.giveUp(id, channel, because: nil) }
                hook.arm { self.giveUp(id, channel, because: RedisError(.cancelled, "cancelled while subscribing")) }
            }
        } onCancel: {
            hook.cancel()
        }
    }

    /// Ends a wait that has not ended by itself; nil means that its time is over.
    private func giveUp(_ id: UInt64, _ channel: ByteBuffer, because error: RedisError?) {
        let (removed, reason) = self.state.withLock { state -> (SubscriptionState.Removed, RedisError) in
            let isWaiting = state.subscriptions.isWaiting(id, for: channel)
            let reason = error ?? state.subscriptions.overdue(channel)
            return (isWaiting ? state.subscriptions.remove(id, from: channel) : .init(), reason)
        }
        if removed.flush { self.scheduleFlush() }
        removed.listener?.acknowledge?(reason)
    }

    private func remove(_ id: UInt64, _ channel: ByteBuffer) {
        // Bound to a name, so that the listener's closures are let go outside the lock.
        let removed = self.state.withLock { $0.subscriptions.remove(id, from: channel) }
        if removed.flush { self.scheduleFlush() }
    }

    private func scheduleFlush() {
        let isFirst = self.state.withLock { state in
            defer { state.flushScheduled = true }
            return !state.flushScheduled
        }
        if isFirst { self.link.eventLoop.execute { self.flush() } }
    }
}

// MARK: On the event loop

extension RedisSubscriber: RedisLinkDelegate {
    func linkReady(_ channel: any Channel) {
        let now = NIODeadline.now()
        self.state.withLock { state in
            state.channel = channel
            state.keepalive = KeepaliveState(
                idleBeforePing: TimeAmount(self.configuration.idleBeforePing),
                answerWithin: TimeAmount(self.configuration.commandTimeout),
                now: now
            )
            state.subscriptions.connected()
        }
        self.flush()
        self.tick(on: channel)
    }

    func linkReceived(_ replies: [RedisValue]) throws(RedisError) {
        var orders: [SubscriptionState.Order] = []
        orders.reserveCapacity(replies.count)
        var violation: RedisError?
        self.state.withLock { state in
            state.keepalive?.heard(at: .now())
            do throws(RedisError) {
                for reply in replies { try state.subscriptions.receive(reply, orders: &orders) }
            } catch {
                violation = error
            }
        }
        self.perform(orders)
        if let violation { throw violation }
    }

    func linkWritable() {
        self.flush()
    }

    func linkLost(_ error: RedisError) {
        let orders = self.state.withLock { state in
            state.channel = nil
            state.keepalive = nil
            return state.subscriptions.disconnected(error)
        }
        self.perform(orders)
    }

    func linkStopped() {
        let orders = self.state.withLock { state in
            state.channel = nil
            state.keepalive = nil
            return state.subscriptions.close()
        }
        self.perform(orders)
    }

    private func perform(_ orders: [SubscriptionState.Order]) {
        for order in orders {
            switch order {
            case .deliver(let listeners, let event): for listener in listeners { listener.receive(event) }
            case .answer(let listener, let error): listener.acknowledge?(error)
            case .release: break
            }
        }
    }

    private func flush() {
        let (channel, pieces) = self.state.withLock { state -> ((any Channel)?, [ByteBuffer]) in
            state.flushScheduled = false
            guard let channel = state.channel, channel.isWritable else { return (nil, []) }
            return (channel, state.subscriptions.takeForWriting())
        }
        guard let channel, !pieces.isEmpty else { return }
        for chunk in WriteChunks.joined(pieces) { channel.write(chunk, promise: nil) }
        channel.flush()
    }

    /// Looks after one connection until it is replaced.
    private func tick(on channel: any Channel) {
        let decision = self.state.withLock { state -> KeepaliveState.Decision? in
            guard state.channel === channel else { return nil }
            let decision = state.keepalive?.tick(now: .now())
            if case .ping = decision { state.subscriptions.ping() }
            return decision
        }
        switch decision {
        case .wait(let next):
            self.link.eventLoop.scheduleTask(deadline: next) { self.tick(on: channel) }
        case .ping(let next):
            self.flush()
            self.link.eventLoop.scheduleTask(deadline: next) { self.tick(on: channel) }
        case .dead:
            self.link.drop(because: RedisError(.notConnected, "the server has stopped answering"))
        case nil:
            break
        }
    }
}
