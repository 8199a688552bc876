import Domain
import Events
package import Logging
package import Redis
package import Store
import Synchronization

/// Keeps the streams filled: runs when something was queued, claimed or finished, and on a tick.
///
/// Every process has one. Two that run at once cannot dispatch a job twice, since each dispatch is a conditional update; and
/// an id that is on a stream twice is harmless.
package final class Dispatcher: Sendable {
    fileprivate struct State {
        var window: DispatchWindow
        /// Whether something may wait that could be dispatched.
        var mayHaveBacklog = true
        var drained: (since: ContinuousClock.Instant, count: Int, before: Int) = (.now, 0, 0)
    }

    private static let tick = Duration.milliseconds(500)
    private static let drainPeriod = Duration.milliseconds(100)
    /// Jobs put on the streams in one go.
    private static let batchMax = 512

    private let database: any Database
    private let redis: RedisClient
    private let streams: JobStreams
    private let configuration: QueueConfiguration
    private let logger: Logger
    private let wakeUp = WakeUp()
    private let state: Mutex<State>

    package init(
        database: any Database,
        redis: RedisClient,
        streams: JobStreams,
        configuration: QueueConfiguration,
        logger: Logger
    ) {
        self.database = database
        self.redis = redis
        self.streams = streams
        self.configuration = configuration
        self.logger = logger
        self.state = Mutex(State(window: DispatchWindow(sizeMin: configuration.dispatchWindowMin)))
    }

    /// Takes a place in the window for a job about to be submitted.
    func reserve() -> Bool { self.state.withLock { $0.window.reserve() } }

    /// Gives the place back: the job was queued behind others of its lane.
    func unreserve() { self.state.withLock { $0.window.free(1) } }

    /// Something was queued that may be dispatched.
    package func noteQueued() {
        self.state.withLock { $0.mayHaveBacklog = true }
        self.wakeUp.call()
    }

    /// Jobs were claimed: their places are free.
    package func noteClaimed(_ count: Int) {
        let mustRun = self.state.withLock { state in
            state.window.free(count)
            state.noteDrained(count, period: Self.drainPeriod)
            return state.mayHaveBacklog
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
            }
            await self.wakeUp.wait(within: Self.tick)
        }
    }

    /// Fills the window once; with `isTick` also puts back what nobody has claimed.
    package func pass(isTick: Bool) async throws {
        if isTick { self.state.withLock { $0.mayHaveBacklog = true } }
        while self.state.withLock({ $0.mayHaveBacklog }) {
            guard try await self.fill() else { break }
        }
        if isTick { try await self.redispatch() }
    }

    /// True when the window may have room for more.
    private func fill() async throws -> Bool {
        let drained = self.state.withLock { state in
            state.mayHaveBacklog = false
            return state.recentlyDrained
        }
        let lease = self.configuration.lease
        let sizeMin = self.configuration.dispatchWindowMin
        let (window, dispatches) = try await self.database.write(.relaxed) { connection in
            let ledger = Ledger(connection)
            var window = DispatchWindow(sizeMin: sizeMin)
            window.update(try ledger.load(heartbeatWithin: lease), drainedRecently: drained)
            let room = min(window.room, Self.batchMax)
            let dispatches = room > 0 ? try ledger.dispatch(limit: room) : []
            for _ in dispatches { _ = window.reserve() }
            return (window, dispatches)
        }
        self.state.withLock { state in
            state.window = window
            // Whatever did not fit is dispatched when a place is free.
            if window.room == 0 || dispatches.count == Self.batchMax { state.mayHaveBacklog = true }
        }
        try await self.put(dispatches)
        return dispatches.count == Self.batchMax && window.room > 0
    }

    /// Puts jobs on their streams again that nobody claims, when fewer entries are there than jobs are dispatched.
    ///
    /// With all entries there the workers are merely busy, and more entries would only make the streams grow.
    private func redispatch() async throws {
        let (age, lease) = (self.configuration.redispatchAfter, self.configuration.lease)
        let load = try await self.database.read { try Ledger($0).load(heartbeatWithin: lease) }
        guard load.dispatched > 0, try await self.streams.count() < load.dispatched else { return }
        let stale = try await self.database.write(.relaxed) { connection in
            try Ledger(connection).redispatch(olderThan: age, limit: Self.batchMax)
        }
        guard !stale.isEmpty else { return }
        self.logger.notice("Dispatched again what nobody claimed", metadata: ["jobs": "\(stale.count)"])
        try await self.put(stale)
    }

    private func put(_ dispatches: [Dispatch]) async throws {
        guard !dispatches.isEmpty else { return }
        for case .failure(let error) in try await self.redis.send(batch: dispatches.map(self.streams.addition(of:))) {
            throw error
        }
    }
}

extension Dispatcher.State {
    fileprivate mutating func noteDrained(_ count: Int, period: Duration) {
        if self.drained.since.duration(to: .now) > period { self.drained = (.now, 0, self.drained.count) }
        self.drained.count += count
    }

    fileprivate var recentlyDrained: Int { max(self.drained.count, self.drained.before) }
}
