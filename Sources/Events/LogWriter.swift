package import Domain
package import Logging
import Synchronization

/// Writes the events of one attempt into the job's log, in order, under the attempt's epoch.
///
/// The engine adds events without waiting; `run` sends them, one batch at a time, and what comes while a batch is on its
/// way goes with the next. When Redis has lost the log, it is made anew with a `snapshot` of the text so far. While Redis
/// is away, events wait; beyond `textBytesMax` of text the engine waits too.
package final class LogWriter: Sendable {
    private struct State {
        var pending = PendingEvents()
        var text: TextSoFar
        var next: EventID
        /// The last event known to be in the log.
        var written = EventID.start
        /// The last `progress`.
        var iterationBegan = EventID.start
        var addedCount = 0
        var sentCount = 0
        var isFlushing = false
        var isClosed = false
        var isFenced = false
        /// Whether the log is made by the first batch: nothing of the job was ever written.
        var createsLog: Bool
        /// The connection to Redis on which the last batch went.
        var connection: Int
        var flushers: [(count: Int, wakeUp: WakeUp)] = []
    }

    /// Text that may wait for Redis before the engine has to.
    package static let textBytesMax = 1 << 20
    /// How long the engine waits for Redis before it goes on, so that its own limits are looked at.
    private static let pushBackMax = Duration.seconds(1)

    private let job: JobID
    private let log: EventLog
    private let start: EventFrame
    private let logger: Logger
    private let isOurs: @Sendable () async -> Bool
    private let state: Mutex<State>
    private let work = WakeUp()

    /// A writer for the attempt at `epoch`.
    ///
    /// `start` is the log's first event, written with the first batch when the log `isNew`, and again should it be gone;
    /// `isOurs` asks the ledger whether the epoch still holds.
    package init(
        job: JobID,
        epoch: Int64,
        log: EventLog,
        start: EventFrame,
        isNew: Bool = false,
        logger: Logger,
        isOurs: @escaping @Sendable () async -> Bool
    ) {
        self.job = job
        self.log = log
        self.start = start
        self.logger = logger
        self.isOurs = isOurs
        self.state = Mutex(
            State(
                text: TextSoFar(job: job),
                next: EventID(epoch: epoch, sequence: 0),
                createsLog: isNew,
                connection: log.connection
            )
        )
    }

    /// Adds text of the answer or the reasoning; waits only while too much of it is unsent.
    package func add(_ text: String, as type: EventType) async {
        // Empty text makes no event, so no flush may count on one.
        guard !text.isEmpty else { return }
        let isTooMuch = self.state.withLock { state in
            state.pending.add(text, as: type, at: .now)
            state.addedCount += 1
            return state.pending.textBytes > Self.textBytesMax
        }
        self.work.call()
        if isTooMuch { await self.flush(within: Self.pushBackMax) }
    }

    /// Adds any other event.
    package func add(_ data: some Encodable & Sendable, as type: EventType) {
        self.state.withLock { state in
            state.pending.add(data, as: type)
            state.addedCount += 1
        }
        self.work.call()
    }

    /// Adds a `truncate` to where the iteration began: its text does not count.
    package func truncateIteration() {
        self.state.withLock { state in
            state.pending.addTruncateIteration()
            state.addedCount += 1
        }
        self.work.call()
    }

    /// Waits until everything added so far is in the log, at most `limit`; returns the last event that is.
    @discardableResult
    package func flush(within limit: Duration) async -> EventID {
        let wakeUp = WakeUp()
        let isDone = self.state.withLock { state in
            guard state.sentCount < state.addedCount, !state.isFenced else { return true }
            state.isFlushing = true
            state.flushers.append((state.addedCount, wakeUp))
            return false
        }
        if !isDone {
            self.work.call()
            await wakeUp.wait(within: limit)
        }
        return self.state.withLock { $0.written }
    }

    /// Ends `run`, and returns what was not sent and the id for the terminal event, which are written after the commit.
    package func close() -> (remainder: LogRemainder, next: EventID) {
        let end = self.state.withLock { state in
            state.isClosed = true
            guard !state.isFenced else { return (LogRemainder(), state.next) }
            let creates = state.createsLog
            return (LogRemainder(frames: self.takeFrames(&state), createsLog: creates), state.next)
        }
        self.work.call()
        return end
    }

    /// Sends what is added until the writer is closed.
    ///
    /// False when a newer epoch has taken the log over.
    package func run() async -> Bool {
        while let (frames, count) = await self.nextBatch() {
            let isOurs = await self.deliver(frames)
            self.settle(frames.last?.id, count: count, isOurs: isOurs)
            if !isOurs { return false }
        }
        return true
    }

    /// The events that are due, numbered; nil once the writer is closed.
    private func nextBatch() async -> (frames: [EventFrame], count: Int)? {
        while true {
            let (readiness, isClosed) = self.state.withLock { state in
                (state.isFlushing ? .ready : state.pending.readiness(at: .now), state.isClosed)
            }
            switch readiness {
            case _ where isClosed: return nil
            case .ready where !self.state.withLock({ $0.pending.items.isEmpty }): return self.takeBatch()
            case .ready: self.state.withLock { $0.isFlushing = false }
            case .empty: await self.work.wait()
            case .waiting(let due): await self.work.wait(within: due - .now)
            }
            if Task.isCancelled { return nil }
        }
    }

    private func takeBatch() -> (frames: [EventFrame], count: Int) {
        self.state.withLock { state in
            state.isFlushing = false
            return (self.takeFrames(&state), state.addedCount)
        }
    }

    /// What is pending, numbered; the first of a new log after its `start`.
    private func takeFrames(_ state: inout State) -> [EventFrame] {
        let items = state.pending.takeAll()
        var frames: [EventFrame] = state.createsLog ? [self.start] : []
        state.createsLog = false
        frames.reserveCapacity(items.count + 1)
        for item in items {
            guard let frame = self.frame(of: item, id: state.next, iterationBegan: state.iterationBegan) else {
                continue
            }
            state.text.apply(item)
            if frame.type == .progress { state.iterationBegan = frame.id }
            state.next = state.next.next
            frames.append(frame)
            if state.text.isSnapshotDue, let snapshot = state.text.snapshot(id: state.next) {
                state.next = state.next.next
                frames.append(snapshot)
            }
        }
        return frames
    }

    private func frame(of item: PendingEvents.Item, id: EventID, iterationBegan: EventID) -> EventFrame? {
        do {
            switch item {
            case .text(let type, let text):
                return EventFrame(id: id, type: type, text: text, jobID: self.job)
            case .data(let type, let data):
                return try EventFrame(id: id, type: type, data: data)
            case .truncateIteration:
                let data = EventData.Truncate(jobID: self.job, to: iterationBegan)
                return try EventFrame(id: id, type: .truncate, data: data)
            }
        } catch {
            self.logger.error("An event cannot be encoded", metadata: [LogKeys.error: "\(error)"])
            return nil
        }
    }

    private func settle(_ last: EventID?, count: Int, isOurs: Bool) {
        let due = self.state.withLock { state in
            if isOurs {
                state.sentCount = count
                if let last { state.written = last }
            } else {
                state.isFenced = true
            }
            let due = state.flushers.filter { !isOurs || $0.count <= count }
            state.flushers.removeAll { !isOurs || $0.count <= count }
            return due
        }
        for flusher in due { flusher.wakeUp.call() }
    }
}

// MARK: - Delivery

extension LogWriter {
    /// Brings the frames into the log, whatever Redis does meanwhile.
    ///
    /// False when a newer epoch has taken over.
    private func deliver(_ frames: [EventFrame]) async -> Bool {
        var unsent = await self.isTailLost() ? self.whole(frames) : frames
        var backoff = Duration.milliseconds(50)
        while !unsent.isEmpty {
            do {
                if unsent.first?.id == .start {
                    try await self.log.recreate(self.job, with: unsent)
                    return true
                }
                switch try await self.log.append(unsent, to: self.job) {
                case .all: return true
                case .logMissing:
                    guard await self.isOurs() else { return false }
                    unsent = [self.start] + self.whole(unsent)
                }
            } catch {
                // Refused, or no answer: some of it may be in the log already, and the log's end tells.
                if error.code != .fenced {
                    self.logger.debug("The log is out of reach", metadata: [LogKeys.error: "\(error)"])
                    if self.state.withLock({ $0.isClosed }) || Task.isCancelled { return true }
                    try? await Task.sleep(for: backoff * Double.random(in: 0.5...1))
                    backoff = min(backoff * 2, .seconds(2))
                }
                guard let rest = await self.unwritten(unsent, after: error) else { return false }
                unsent = rest
            }
        }
        return true
    }

    /// The frames that are not in the log yet; nil when a newer epoch has written to it.
    private func unwritten(_ frames: [EventFrame], after error: EventsError) async -> [EventFrame]? {
        guard let last = try? await self.log.last(of: self.job)?.id, let newest = frames.last else { return frames }
        if last.epoch > newest.id.epoch { return nil }
        return frames.filter { $0.id > last }
    }

    /// Whether Redis has come back without the newest events.
    ///
    /// An append-only file is synced once a second, so a crash of Redis may lose what it had acknowledged. Looked at once
    /// for each connection.
    private func isTailLost() async -> Bool {
        let connection = self.log.connection
        let written = self.state.withLock { state -> EventID? in
            defer { state.connection = connection }
            return state.connection == connection ? nil : state.written
        }
        guard let written, written > .start else { return false }
        // With no log, and with Redis away, the append will tell.
        guard let last = try? await self.log.last(of: self.job)?.id else { return false }
        return last < written
    }

    /// What is sent in place of events that are lost: what is not text, and the whole text so far.
    private func whole(_ frames: [EventFrame]) -> [EventFrame] {
        let snapshot = self.state.withLock { state -> EventFrame? in
            defer { state.next = state.next.next }
            return state.text.snapshot(id: state.next)
        }
        let others = frames.filter { $0.type != .token && $0.type != .reasoning }
        return others + (snapshot.map { [$0] } ?? [])
    }
}
