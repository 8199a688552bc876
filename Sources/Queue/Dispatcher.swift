package import CoreMetrics
import Domain
import Events
package import Logging
package import Redis
package import Store
import Synchronization

/// Keeps the streams filled: runs when something was queued, claimed or finished, when a scheduled job is due, and on a
/// tick.
///
/// Every process has one. Two that run at once cannot dispatch a job twice, since each dispatch is a conditional update; and
/// an id that is on a stream twice is harmless.
package final class Dispatcher: Sendable {
    fileprivate struct State {
        var window: DispatchWindow
        /// Whether something may wait that could be dispatched.
        var mustLook = true
        var drained: (since: ContinuousClock.Instant, count: Int, before: Int) = (.now, 0, 0)
        /// When the next scheduled job is due.
        var nextDue: ContinuousClock.Instant?
        /// Jobs dispatched so far of the tenants that have more.
        var turns: [TenantID: Int] = [:]
    }

    private static let tick = Duration.milliseconds(500)
    private static let drainPeriod = Duration.milliseconds(100)
    /// An entry that free slots leave alone for so many times `redispatchAfter` is stranded.
    private static let strandedAfter = 6
    /// Jobs put on the streams, or taken from the schedule, in one go.
    private static let batchMax = 512

    private let database: any Database
    private let redis: RedisClient
    private let streams: JobStreams
    private let configuration: QueueConfiguration
    private let redispatched: Counter
    private let logger: Logger
    private let wakeUp = WakeUp()
    private let state: Mutex<State>

    package init(
        database: any Database,
        redis: RedisClient,
        streams: JobStreams,
        configuration: QueueConfiguration,
        redispatched: Counter,
        logger: Logger
    ) {
        self.database = database
        self.redis = redis
        self.streams = streams
        self.configuration = configuration
        self.redispatched = redispatched
        self.logger = logger
        self.state = Mutex(State(window: DispatchWindow(sizeMin: configuration.dispatchWindowMin)))
    }

    /// Takes a place in the window for a job about to be submitted.
    ///
    /// Never for a tenant with a cap, which only the ledger can keep.
    func reserve(for tenant: TenantID) -> Bool {
        guard self.configuration.share(of: tenant).runningMax == nil else { return false }
        return self.state.withLock { $0.window.reserve() }
    }

    /// Gives the place back: the job was queued behind others of its lane, or not accepted.
    func unreserve() { self.state.withLock { $0.window.free(1) } }

    /// Something was queued, or set free, that may be dispatched.
    package func noteQueued() {
        self.state.withLock { $0.mustLook = true }
        self.wakeUp.call()
    }

    /// A job was queued for want of a place: later ones do not overtake it.
    func noteBacklog() {
        self.state.withLock { $0.window.hasBacklog = true }
        self.noteQueued()
    }

    /// A job is due after `delay`.
    func noteScheduled(after delay: Duration) {
        let due = ContinuousClock.now + delay
        let isFirst = self.state.withLock { state in
            guard due < state.nextDue ?? .now + Self.tick else { return false }
            state.nextDue = due
            return true
        }
        if isFirst { self.wakeUp.call() }
    }

    /// Jobs were claimed: their places are free.
    package func noteClaimed(_ count: Int) {
        let mustRun = self.state.withLock { state in
            state.window.free(count)
            state.noteDrained(count, period: Self.drainPeriod)
            if state.window.hasBacklog { state.mustLook = true }
            return state.mustLook
        }
        if mustRun { self.wakeUp.call() }
    }

    /// Dispatches until cancelled.
    package func run() async {
        var lastTick = ContinuousClock.now - Self.tick
        while !Task.isCancelled {
            let isTick = lastTick.duration(to: .now) >= Self.tick
            if isTick { lastTick = .now }
            do {
                try await self.pass(isTick: isTick)
            } catch {
                self.logger.warning("Dispatch failed, will be tried again", metadata: [LogKeys.error: "\(error)"])
                // Not at once, though a scheduled job may be due.
                self.state.withLock { $0.nextDue = .now + Self.tick }
            }
            let due = self.state.withLock { $0.nextDue }
            let wait = min(Self.tick, due.map { ContinuousClock.now.duration(to: $0) } ?? Self.tick)
            await self.wakeUp.wait(within: max(.milliseconds(1), wait))
        }
    }

    /// Queues what is due and fills the window; with `isTick` also looks for what others have left.
    package func pass(isTick: Bool) async throws {
        if isTick { self.state.withLock { $0.mustLook = true } }
        let isDue = self.state.withLock { state in state.nextDue.map { $0 <= .now } ?? false }
        if isTick || isDue { try await self.promote() }
        while self.state.withLock({ $0.mustLook }) {
            guard try await self.fill() else { break }
        }
        if isTick { try await self.redispatch() }
    }

    /// Queues the scheduled jobs that are due, and notes when the next is.
    private func promote() async throws {
        let next = try await self.database.read { (try Ledger($0).nextDue(), $0.now) }
        guard let due = next.0 else { return self.state.withLock { $0.nextDue = nil } }
        guard due <= next.1 else {
            let wait = due - next.1
            return self.state.withLock { $0.nextDue = .now + wait }
        }
        let count = try await self.database.write(.relaxed) { try Ledger($0).promote(limit: Self.batchMax) }
        // Whatever is still due is looked for in the next round, at once.
        self.state.withLock { state in
            state.nextDue = .now
            if count > 0 { state.mustLook = true }
        }
    }

    /// True when the window may have room for more.
    private func fill() async throws -> Bool {
        let (drained, turns) = self.state.withLock { state in
            state.mustLook = false
            return (state.recentlyDrained(period: Self.drainPeriod), state.turns)
        }
        let configuration = self.configuration
        let filled = try await self.database.write(.relaxed) { connection in
            try Filled(Ledger(connection), configuration, drained: drained, turns: turns, limit: Self.batchMax)
        }
        self.state.withLock { state in
            let cameMeanwhile = state.mustLook
            state.window = filled.window
            state.turns = filled.turns
            state.window.hasBacklog = filled.window.hasBacklog || cameMeanwhile
        }
        try await self.put(filled.dispatches)
        return filled.dispatches.count == Self.batchMax && filled.window.room > 0
    }

    /// Puts jobs on their streams again that nobody claims.
    private func redispatch() async throws {
        let lease = self.configuration.lease
        let load = try await self.database.read { try Ledger($0).load(heartbeatWithin: lease) }
        guard load.dispatched > 0, let age = self.redispatchAge(load, entries: try await self.streams.count())
        else { return }
        let stale = try await self.database.write(.relaxed) { connection in
            try Ledger(connection).redispatch(olderThan: age, limit: Self.batchMax)
        }
        guard !stale.isEmpty else { return }
        self.redispatched.increment(by: stale.count)
        self.logger.notice("Dispatched again what nobody claimed", metadata: ["jobs": "\(stale.count)"])
        try await self.put(stale)
    }

    /// How long a job must have been unclaimed to be put on its stream again; nil when none is.
    ///
    /// With fewer entries than dispatched jobs some were lost. With all there the workers are merely busy, and more entries
    /// would only make the streams grow; unless slots are free: an entry can lie on a stream that no group delivers any
    /// more, as one whose consumer was removed with it pending.
    private func redispatchAge(_ load: QueueLoad, entries: Int) -> Duration? {
        if entries < load.dispatched { return self.configuration.redispatchAfter }
        return load.running < load.slots ? self.configuration.redispatchAfter * Self.strandedAfter : nil
    }

    private func put(_ dispatches: [Dispatch]) async throws {
        guard !dispatches.isEmpty else { return }
        for case .failure(let error) in try await self.redis.send(batch: dispatches.map(self.streams.addition(of:))) {
            throw error
        }
    }
}

/// One filling of the window, inside its transaction.
private struct Filled: Sendable {
    var window: DispatchWindow
    var dispatches: [Dispatch] = []
    var turns: [TenantID: Int]

    init(
        _ ledger: Ledger,
        _ configuration: QueueConfiguration,
        drained: Int,
        turns: [TenantID: Int],
        limit: Int
    ) throws {
        self.window = DispatchWindow(sizeMin: configuration.dispatchWindowMin)
        self.turns = turns
        self.window.update(try ledger.load(heartbeatWithin: configuration.lease), drainedRecently: drained)
        if try ledger.isPaused() {
            self.window.hasBacklog = true
            return
        }
        let room = min(self.window.room, limit)
        self.dispatches = try FairShare.dispatch(room, from: ledger, under: configuration, turns: &self.turns)
        self.window.take(self.dispatches.count)
        // With places left nothing waits that could have one.
        self.window.hasBacklog = self.dispatches.count == room
    }
}

extension Dispatcher.State {
    fileprivate mutating func noteDrained(_ count: Int, period: Duration) {
        let age = self.drained.since.duration(to: .now)
        if age > period { self.drained = (.now, 0, age > period * 2 ? 0 : self.drained.count) }
        self.drained.count += count
    }

    fileprivate func recentlyDrained(period: Duration) -> Int {
        self.drained.since.duration(to: .now) > period * 2 ? 0 : max(self.drained.count, self.drained.before)
    }
}
