import Domain
import Store

extension QueueStatus {
    /// Counts one tenant's jobs, or everybody's; `lease` is how long a worker lives without a heartbeat.
    init(of tenant: TenantID?, lease: Duration, reading connection: any SQLConnection) throws {
        let ledger = Ledger(connection)
        let workers = try Workers(connection).live(within: lease)
        let open = try ledger.openFigures(of: tenant)
        let ended = try ledger.endedCounts(of: tenant)
        self.scope = tenant == nil ? .all : .tenant
        self.paused = try ledger.isPaused()
        self.states = Self.counts(JobState.allCases, named: \.rawValue) { open.states[$0] ?? ended[$0] }
        self.priorities = Self.counts(JobPriority.allCases, named: \.name) { open.waiting[$0] }
        self.oldestWaitingSeconds = open.oldestWaiting.map { max(0, (connection.now - $0).seconds) }
        self.throughput = Throughput(
            lastMinute: try ledger.endedCount(within: .seconds(60), of: tenant),
            lastFiveMinutes: try ledger.endedCount(within: .seconds(300), of: tenant)
        )
        self.slots = workers.filter { !$0.draining }.map(\.slots).reduce(0, +)
        self.workers = tenant == nil ? workers.map(Worker.init) : nil
    }

    private static func counts<Key>(
        _ keys: [Key],
        named name: KeyPath<Key, String>,
        _ count: (Key) -> Int?
    ) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: keys.map { ($0[keyPath: name], count($0) ?? 0) })
    }
}

extension QueueStatus.Worker {
    init(_ status: WorkerStatus) {
        self.workerID = status.id
        self.host = status.host
        self.pid = status.pid
        self.version = status.version
        self.slots = status.slots
        self.running = status.running
        self.heartbeatAgeSeconds = max(0, status.heartbeatAge.seconds)
        self.draining = status.draining
        self.finished = status.finished
        self.meanRunSeconds = status.finished > 0 ? status.runTime.seconds / Double(status.finished) : nil
    }
}
