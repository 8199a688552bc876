package import Domain
package import Redis
import Synchronization

/// Lets many followers share one subscriber connection, and looks after the silent ones.
package final class EventRelay: Sendable {
    /// A follower, which ends when this is let go.
    package final class Attachment: Sendable {
        package let follower: JobFollower
        private let leave: @Sendable () -> Void

        init(follower: JobFollower, leave: @escaping @Sendable () -> Void) {
            self.follower = follower
            self.leave = leave
        }

        deinit {
            self.leave()
            self.follower.stop()
        }
    }

    private struct Place {
        let follower: JobFollower
        /// Nil until Redis has acknowledged it.
        var subscription: RedisSubscription?
    }

    private struct State {
        var places: [Int: Place] = [:]
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
        // With Redis away nobody waits for it: the log and the ledger are looked at until `run` has subscribed.
        let isLive = await self.subscribe(follower, key, timeout: self.subscriber.isConnected ? nil : Self.awayMax)
        if !isLive { follower.missedSomething() }
        return Attachment(follower: follower) { [weak self] in self?.leave(key) }
    }

    /// Puts a follower on the live feed; false when Redis does not let it.
    private func subscribe(_ follower: JobFollower, _ key: Int, timeout: Duration?) async -> Bool {
        let channel = self.log.channel(of: follower.job)
        let subscription = try? await self.subscriber.subscribe(to: channel, timeout: timeout) {
            [weak follower] event in
            switch event {
            case .message(let bytes): follower?.receive(bytes)
            case .interrupted: break
            case .resubscribed: follower?.missedSomething()
            }
        }
        // A follower that has left meanwhile lets the subscription go with this scope.
        self.state.withLock { $0.places[key]?.subscription = subscription }
        return subscription != nil
    }

    /// Followers attached now.
    package var count: Int { self.state.withLock { $0.places.count } }

    /// How far the followers are behind: those that read the log instead of the live feed, and the most live events that
    /// one has not taken.
    package var lag: (behind: Int, eventsMax: Int) {
        let lags = self.state.withLock { state in state.places.values.map(\.follower) }.map(\.lag)
        return (lags.count { $0.isBehind }, lags.map(\.events).max() ?? 0)
    }

    /// Looks at the silent followers, and subscribes those that came while Redis was away, until cancelled.
    package func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.tick)
            for (key, place) in self.state.withLock({ $0.places }) {
                place.follower.check(silence: self.silence)
                guard place.subscription == nil, self.subscriber.isConnected else { continue }
                if await self.subscribe(place.follower, key, timeout: Self.awayMax) {
                    place.follower.missedSomething()
                }
            }
        }
    }

    private func enter(_ follower: JobFollower) -> Int {
        self.state.withLock { state in
            state.nextKey += 1
            state.places[state.nextKey] = Place(follower: follower)
            return state.nextKey
        }
    }

    private func leave(_ key: Int) {
        // Taken out under the lock and ended outside it.
        let place = self.state.withLock { $0.places.removeValue(forKey: key) }
        place?.subscription?.cancel()
    }
}
