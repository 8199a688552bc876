package import Domain
package import Redis
import Synchronization

/// Lets many followers share one subscriber connection, and looks after the silent ones.
package final class EventRelay: Sendable {
    /// A follower and its subscription; ends both when it is let go.
    package final class Attachment: Sendable {
        package let follower: JobFollower
        private let subscription: RedisSubscription?
        private let leave: @Sendable () -> Void

        init(follower: JobFollower, subscription: RedisSubscription?, leave: @escaping @Sendable () -> Void) {
            self.follower = follower
            self.subscription = subscription
            self.leave = leave
        }

        deinit {
            self.subscription?.cancel()
            self.leave()
            self.follower.stop()
        }
    }

    private struct State {
        var followers: [Int: JobFollower] = [:]
        var nextKey = 0
    }

    private static let tick = Duration.milliseconds(500)
    /// How long a new follower waits for a subscriber that has no connection.
    private static let awayMax = Duration.milliseconds(500)

    private let log: EventLog
    private let subscriber: RedisSubscriber
    private let silence: Duration
    private let state = Mutex(State())

    /// A relay that asks the ledger about jobs of which nothing was heard for `silence`.
    package init(log: EventLog, subscriber: RedisSubscriber, silence: Duration) {
        self.log = log
        self.subscriber = subscriber
        self.silence = silence
    }

    /// Attaches a follower to a job: subscribed, acknowledged, and only then told to replay.
    ///
    /// With Redis away it attaches all the same and learns the end from the ledger. `isNew`: the job is not dispatched yet.
    package func follow(
        _ job: JobID,
        after cursor: EventID,
        isNew: Bool,
        ledger: @escaping @Sendable () async -> LedgerView
    ) async -> Attachment {
        let follower = JobFollower(job: job, after: cursor, isNew: isNew, log: self.log, ledger: ledger)
        let key = self.enter(follower)
        // With Redis away nobody waits for it: the log and the ledger are looked at now and then.
        let limit = self.subscriber.isConnected ? nil : Self.awayMax
        let subscription = try? await self.subscriber.subscribe(to: self.log.channel(of: job), timeout: limit) {
            [weak follower] event in
            switch event {
            case .message(let bytes): follower?.receive(bytes)
            case .interrupted: break
            case .resubscribed: follower?.missedSomething()
            }
        }
        if subscription == nil { follower.missedSomething() }
        return Attachment(follower: follower, subscription: subscription) { [weak self] in self?.leave(key) }
    }

    /// Followers attached now.
    package var count: Int { self.state.withLock { $0.followers.count } }

    /// Looks at the silent followers until cancelled.
    package func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.tick)
            for follower in self.state.withLock({ Array($0.followers.values) }) {
                follower.check(silence: self.silence)
            }
        }
    }

    private func enter(_ follower: JobFollower) -> Int {
        self.state.withLock { state in
            state.nextKey += 1
            state.followers[state.nextKey] = follower
            return state.nextKey
        }
    }

    private func leave(_ key: Int) {
        self.state.withLock { _ = $0.followers.removeValue(forKey: key) }
    }
}
