import Domain

/// Redis as far as jobs need it: streams of job ids with one consumer group, and the jobs' logs.
///
/// Pure; what is lost, doubled or refused is decided by the simulation.
struct SimulatedRedis {
    struct Entry: Equatable {
        let id: Int
        let job: JobID
    }

    struct Event {
        let id: EventID
        let type: EventType
    }

    struct Log {
        var events: [Event] = []
        var expiresAt: Timestamp?
        /// The highest id that there ever was.
        var top = EventID.zero
    }

    enum Appended { case all, missing, refused }

    /// No connection: every call fails.
    struct Away: Error {}

    var isUp = true
    private(set) var entries: [Entry] = []
    private(set) var logs: [JobID: Log] = [:]
    /// Entries that were read and not settled: by whom, and when.
    private var pending: [Int: (reader: WorkerID, at: Timestamp)] = [:]
    private var entryCount = 0

    private func check() throws(Away) { if !self.isUp { throw Away() } }

    // MARK: Streams

    /// The entries on all streams, pending ones included.
    func count() throws(Away) -> Int {
        try self.check()
        return self.entries.count
    }

    mutating func add(_ job: JobID) throws(Away) {
        try self.check()
        self.entryCount += 1
        self.entries.append(Entry(id: self.entryCount, job: job))
    }

    mutating func read(_ count: Int, for worker: WorkerID, at time: Timestamp) throws(Away) -> [Entry] {
        try self.check()
        let read = Array(self.entries.filter { self.pending[$0.id] == nil }.prefix(count))
        for entry in read { self.pending[entry.id] = (worker, time) }
        return read
    }

    /// Takes over what others have left unsettled for `idle`.
    mutating func reclaim(
        _ count: Int,
        for worker: WorkerID,
        idle: Duration,
        at time: Timestamp
    ) throws(Away) -> [Entry] {
        try self.check()
        let old = self.entries.filter { entry in self.pending[entry.id].map { $0.at + idle <= time } ?? false }
        for entry in old.prefix(count) { self.pending[entry.id] = (worker, time) }
        return Array(old.prefix(count))
    }

    mutating func settle(_ settled: [Entry]) throws(Away) {
        try self.check()
        for entry in settled { self.pending[entry.id] = nil }
        self.entries.removeAll { settled.contains($0) }
    }

    // MARK: Logs

    func last(of job: JobID) throws(Away) -> Event? {
        try self.check()
        return self.logs[job]?.events.last
    }

    /// XADD of each event in one pipeline, so that what follows a refused one is tried as well.
    ///
    /// `creating` is without NOMKSTREAM. Returns the first answer that is not good.
    mutating func append(
        _ events: [Event],
        to job: JobID,
        creating: Bool,
        expiringAt end: Timestamp? = nil
    ) throws(Away) -> Appended {
        try self.check()
        guard creating || self.logs[job] != nil else { return .missing }
        var result = Appended.all
        for event in events {
            guard event.id > self.logs[job, default: Log()].top else {
                result = .refused
                continue
            }
            self.logs[job, default: Log()].events.append(event)
            self.logs[job]?.top = event.id
        }
        if let end, self.logs[job] != nil { self.logs[job]?.expiresAt = end }
        return result
    }

    /// XDEL: the id stays the top one.
    mutating func remove(_ id: EventID, from job: JobID) throws(Away) {
        try self.check()
        self.logs[job]?.events.removeAll { $0.id == id }
    }

    mutating func deleteLog(of job: JobID) throws(Away) {
        try self.check()
        self.logs[job] = nil
    }

    mutating func expireLogs(at time: Timestamp) {
        for (job, log) in self.logs where log.expiresAt.map({ $0 <= time }) ?? false { self.logs[job] = nil }
    }

    // MARK: Misfortunes

    mutating func loseEverything() {
        self.entries = []
        self.pending = [:]
        self.logs = [:]
    }

    mutating func loseEntry(at index: Int) {
        let entry = self.entries.remove(at: index)
        self.pending[entry.id] = nil
    }
}
