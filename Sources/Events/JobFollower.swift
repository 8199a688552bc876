package import Domain
import DequeModule
import NIOCore
import Redis
import Synchronization

/// What the ledger says of a job whose log does not tell.
package enum LedgerView: Sendable {
    /// It has not ended: wait. `start` is the log's first event, for who has not even seen that.
    case open(start: EventFrame?)
    /// It has ended: the whole text, and the terminal event.
    case ended(snapshot: EventFrame?, terminal: EventFrame)
    /// There is no such job any more.
    case gone
}

/// Follows a job's events from a cursor to the end: each once, in order, whatever gets lost on the way.
///
/// Live events come from pub/sub; a gap, a reconnect or a full buffer sends the follower to the log; and when neither has
/// the end, the ledger has. `next` returns at its reader's pace: a slow reader never slows a worker, the subscriber or
/// another reader, it merely leaves the live feed and reads the log.
package final class JobFollower: Sendable {
    private enum Order {
        case send([EventLog.Entry])
        case replay(after: EventID)
        case askLedger
        case wait
        case end
    }

    fileprivate struct State {
        var follow: FollowState
        var live: Deque<EventLog.Entry> = []
        var liveBytes = 0
        var mustReplay: Bool
        var mustAskLedger: Bool
        var lastHeard = ContinuousClock.now
        var isStopped = false
    }

    /// Events and bytes that wait for a reader before it leaves the live feed.
    static let liveEventsMax = 256
    static let liveBytesMax = 1 << 20
    /// Events read from the log at a time.
    private static let replayMax = 256

    package let job: JobID
    private let log: EventLog
    private let ledger: @Sendable () async -> LedgerView
    private let state: Mutex<State>
    private let wakeUp = WakeUp()

    /// A follower of `job` from `cursor`.
    ///
    /// With `isNew` the job is not dispatched yet, so there is nothing to replay.
    init(
        job: JobID,
        after cursor: EventID,
        isNew: Bool,
        log: EventLog,
        ledger: @escaping @Sendable () async -> LedgerView
    ) {
        self.job = job
        self.log = log
        self.ledger = ledger
        self.state = Mutex(
            State(follow: FollowState(after: cursor), mustReplay: !isNew, mustAskLedger: false)
        )
    }

    /// The next events; empty when none came within `limit`, nil after the terminal one or when the follower was stopped.
    package func next(within limit: Duration? = nil) async -> [EventLog.Entry]? {
        let deadline = limit.map { ContinuousClock.now + $0 }
        while !Task.isCancelled {
            switch self.nextOrder() {
            case .send(let entries): return entries
            case .replay(let cursor): if let entries = await self.replay(after: cursor) { return entries }
            case .askLedger: if let entries = await self.endFromLedger() { return entries }
            case .wait:
                if let deadline, ContinuousClock.now >= deadline { return [] }
                await self.wakeUp.wait(within: deadline.map { ContinuousClock.now.duration(to: $0) })
            case .end: return nil
            }
        }
        return nil
    }

    /// The last event handed out.
    package var cursor: EventID { self.state.withLock { $0.follow.cursor } }

    /// Whether it reads the log instead of the live feed, and how many live events wait for its reader.
    package var lag: (isBehind: Bool, events: Int) {
        self.state.withLock { ($0.mustReplay, $0.live.count) }
    }

    /// Ends `next`.
    package func stop() {
        self.state.withLock { $0.isStopped = true }
        self.wakeUp.call()
    }

    // MARK: What arrives

    /// Takes a live event.
    ///
    /// Called by the subscriber, must not wait.
    func receive(_ bytes: ByteBuffer) {
        guard let entry = EventLog.Entry(bytes: bytes) else { return }
        self.state.withLock { state in
            state.lastHeard = .now
            guard !state.mustReplay else { return }
            let size = entry.bytes.readableBytes
            if state.live.count >= Self.liveEventsMax || state.liveBytes + size > Self.liveBytesMax {
                state.leaveLiveFeed()
            } else {
                state.live.append(entry)
                state.liveBytes += size
            }
        }
        self.wakeUp.call()
    }

    /// The subscription had an interruption: what was published meanwhile is only in the log.
    func missedSomething() {
        self.state.withLock { $0.leaveLiveFeed() }
        self.wakeUp.call()
    }

    /// Looks at log and ledger when nothing was heard for `silence`.
    func check(silence: Duration) {
        let isDue = self.state.withLock { state in
            guard state.lastHeard.duration(to: .now) >= silence else { return false }
            state.lastHeard = .now
            state.leaveLiveFeed()
            state.mustAskLedger = true
            return true
        }
        if isDue { self.wakeUp.call() }
    }

    // MARK: What to do

    private func nextOrder() -> Order {
        self.state.withLock { state in
            if state.isStopped || state.follow.isEnded { return .end }
            if !state.mustReplay {
                let entries = state.takeLive()
                if !entries.isEmpty { return .send(entries) }
            }
            if state.mustReplay { return .replay(after: state.follow.cursor) }
            return state.mustAskLedger ? .askLedger : .wait
        }
    }

    /// Reads on in the log; nil when there is nothing new, and the live feed is good again.
    private func replay(after cursor: EventID) async -> [EventLog.Entry]? {
        // Cleared first: what is missed while the log is read sets it again.
        self.state.withLock { $0.mustReplay = false }
        guard let entries = try? await self.log.entries(of: self.job, after: cursor, limit: Self.replayMax) else {
            // Redis is away; the subscriber says when it is back. Until then only the ledger can tell the end, and it is
            // asked here, as a new look at the log may be due already.
            return self.state.withLock { $0.mustAskLedger } ? await self.endFromLedger() : nil
        }
        return self.state.withLock { state in
            if entries.count == Self.replayMax { state.leaveLiveFeed() }
            for entry in entries { state.follow.sent(entry.id, entry.type) }
            // A log that has nothing more may be gone.
            state.mustAskLedger = entries.isEmpty
            return entries.isEmpty ? nil : entries
        }
    }

    private func endFromLedger() async -> [EventLog.Entry]? {
        let view = await self.ledger()
        return self.state.withLock { state in
            state.mustAskLedger = false
            switch view {
            case .open(let start):
                guard let start, state.follow.cursor == .zero else { return nil }
                state.follow.sent(start.id, start.type)
                return [EventLog.Entry(start)]
            case .gone:
                state.isStopped = true
                return nil
            case .ended(let snapshot, let terminal):
                guard !state.follow.isEnded else { return nil }
                let entries = [snapshot, terminal].compactMap { $0 }.map(EventLog.Entry.init)
                state.follow.sent(terminal.id, terminal.type)
                return entries
            }
        }
    }
}

extension JobFollower.State {
    /// What is buffered may have holes: the log is read instead.
    fileprivate mutating func leaveLiveFeed() {
        self.mustReplay = true
        self.live.removeAll()
        self.liveBytes = 0
    }

    /// The buffered events that may be sent; a gap among them leaves the live feed.
    fileprivate mutating func takeLive() -> [EventLog.Entry] {
        var entries: [EventLog.Entry] = []
        entries.reserveCapacity(self.live.count)
        while let entry = self.live.popFirst() {
            switch self.follow.judge(live: entry.id, entry.type) {
            case .send: entries.append(entry)
            case .drop: continue
            case .gap:
                self.leaveLiveFeed()
                return entries
            }
        }
        self.liveBytes = 0
        return entries
    }
}
