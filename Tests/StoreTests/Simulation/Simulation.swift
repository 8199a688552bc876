import Domain
import Store

@testable import Store

/// One seeded life of a deployment on a virtual clock: the real ledger on a real database, everything else modelled.
///
/// API servers and workers do what `Queue` and `Worker` do, one atomic step at a time; a generator decides who is next,
/// who dies or stands still, and what Redis loses. `SimulationWatch` judges every transaction.
final class Simulation {
    // The times and bounds of `QueueConfiguration`, some smaller so that they are reached.
    static let lease = Duration.seconds(20)
    static let redispatchAfter = Duration.seconds(10)
    static let reclaimIdle = Duration.seconds(30)
    static let cancelGrace = Duration.seconds(15)
    static let announceAge = Duration.seconds(5)
    static let logTTL = Duration.seconds(120)
    static let retention = Duration.seconds(30)
    static let laneMax = 3
    static let batchMax = 256
    static let tenants: [TenantID] = ["t0", "t1", "t2"]
    /// Only `t1` has a cap.
    static let runningMax: [TenantID: Int] = ["t1": 1]

    let connection: SimulationConnection
    let clock: TestClock
    var random: SimulationRandom
    var redis = SimulatedRedis()
    var watch = SimulationWatch()
    var processes: [SimulatedProcess] = []
    /// All jobs that were ever accepted, and the children of workflows before they are.
    var jobs: [JobID: SimulatedJob] = [:]
    var parents: [JobID: JobID] = [:]
    var accepted: Set<JobID> = []
    /// Deleted, or expired.
    var gone: Set<JobID> = []
    /// Requests by tenant and key.
    var keys: [String: (job: JobID, hash: String, at: Timestamp)] = [:]
    /// How often the side effect of a tool call happened, by job and step.
    var effects: [String: Int] = [:]
    /// Steps that are known to be finished, by job and step.
    var finishedSteps: Set<String> = []
    /// Jobs whose cancel was answered after they had ended, and the life in which they did.
    var toldEnded: [JobID: Int64] = [:]
    /// The life of its job in which a log was made.
    var livesOfLogs: [JobID: Int64] = [:]
    /// Jobs whose log was there, and is gone with Redis' data or after its time.
    var lostLogs: Set<JobID> = []
    /// Leases that a job may lose.
    let lostMax: Int
    /// The fewer tenants and conversations, the fuller the lanes.
    let tenants: [TenantID]
    let conversationsMax: Int
    /// Whether jobs are chats that write messages; slower.
    let isChatty: Bool
    /// Faults happen; false once the storm is over.
    var isStormy = true
    /// Rounds of rest so far.
    var roundCount = 0
    var trace: [String] = []
    private var count = (jobs: 0, processes: 0)

    /// On an empty database that is left empty.
    init(seed: UInt64, connection: SimulationConnection) {
        self.random = SimulationRandom(seed: seed)
        self.isChatty = seed % 8 == 0
        self.lostMax = self.random.below(3)
        self.tenants = Array(Self.tenants.prefix(1 + self.random.below(3)))
        self.conversationsMax = 1 + self.random.below(3)
        self.connection = connection
        self.clock = connection.clock
        self.clock.set(Timestamp(milliseconds: 1_700_000_000_000))
    }

    var ledger: Ledger { Ledger(self.connection) }

    func note(_ what: @autoclosure () -> String) { self.trace.append(what()) }

    func nextJobNumber() -> Int {
        self.count.jobs += 1
        return self.count.jobs
    }

    func addProcess(isWorker: Bool) throws {
        self.count.processes += 1
        let name = (isWorker ? "w" : "api") + "\(self.count.processes)"
        let process = SimulatedProcess(name, worker: isWorker ? WorkerID(rawValue: name) : nil)
        self.processes.append(process)
        if isWorker { try self.register(process) }
    }

    // MARK: Transactions

    /// Commits what `body` does, or nothing of it when it throws, and judges the result.
    @discardableResult
    func write<Value>(_ durability: Durability, _ body: (Ledger) throws -> Value) throws -> Value {
        let changes = self.connection.changeCount
        try self.connection.execute("SAVEPOINT one_write", [])
        let value: Value
        do {
            value = try body(self.ledger)
        } catch {
            try self.connection.execute("ROLLBACK TO one_write", [])
            try self.connection.execute("RELEASE one_write", [])
            throw error
        }
        try self.connection.execute("RELEASE one_write", [])
        if durability == .durable {
            // What is synced brings all that was committed before it to the disk.
            try self.connection.execute("RELEASE synced", [])
            try self.connection.execute("SAVEPOINT synced", [])
        }
        if self.connection.changeCount != changes { try self.observe() }
        return value
    }

    private func observe() throws {
        let rows = try self.readRows()
        for id in self.watch.rows.keys where rows[id] == nil { self.forget(id) }
        try self.watch.observe(rows, jobs: self.jobs, parents: self.parents, runningMax: Self.runningMax)
    }

    /// A job whose row is gone; a workflow that is put back may make it anew.
    private func forget(_ id: JobID) {
        self.gone.insert(id)
        self.toldEnded[id] = nil
        self.effects = self.effects.filter { !$0.key.hasPrefix("\(id)/") }
        self.finishedSteps = self.finishedSteps.filter { !$0.hasPrefix("\(id)/") }
    }

    func readRows() throws -> [JobID: SimulationWatch.Row] {
        Dictionary(
            uniqueKeysWithValues: try self.connection.rows(SimulationWatch.query, [], SimulationWatch.row)
        )
    }

    // MARK: Running

    /// Runs the storm of `steps` steps, lets everything come to rest, and judges what is left.
    func run(steps: Int) throws {
        try self.connection.execute("SAVEPOINT whole", [])
        try self.connection.execute("SAVEPOINT synced", [])
        defer {
            for process in self.processes { process.operations = [] }
            // What cannot be undone fails the next seed at once.
            _ = try? self.connection.execute("ROLLBACK TO whole", [])
            _ = try? self.connection.execute("RELEASE whole", [])
        }
        for isWorker in [false, false, true, true, true] { try self.addProcess(isWorker: isWorker) }
        for _ in 0..<steps {
            if self.random.oneIn(10), self.processes.contains(where: \.isPaused) {
                self.resume()
            } else if self.random.oneIn(20) {
                try self.misfortune()
            } else if self.random.below(10) < 8, try self.advanceSomething() {
                continue
            } else {
                try self.beginSomething()
            }
        }
        try self.comeToRest()
        try self.judge()
    }

    /// The next step of some operation; false when nobody can go on.
    private func advanceSomething() throws -> Bool {
        let able = self.processes.filter { !$0.isPaused && !$0.operations.isEmpty }
        guard let process = self.random.pick(able) else { return false }
        try self.advance(process, at: self.random.below(process.operations.count))
        return true
    }

    func advance(_ process: SimulatedProcess, at index: Int) throws {
        let operation = process.operations[index]
        // At rest, timers that find nothing are not worth a line.
        if self.isStormy || operation.isBegun { self.note("\(process.name): \(operation.name)") }
        let progress: Progress
        do {
            progress = try operation.step()
        } catch is SimulatedRedis.Away {
            self.note("  Redis is away")
            progress = .done
        }
        // The step may have ended others, or begun some.
        guard let index = process.operations.firstIndex(where: { $0.number == operation.number }) else { return }
        switch progress {
        case .done: process.operations.remove(at: index)
        case .next(let name, let step):
            process.operations[index].name = name
            process.operations[index].step = step
            process.operations[index].isBegun = true
        }
    }

    /// Something of what has a point as things are.
    private func beginSomething() throws {
        guard let process = self.random.pick(self.processes.filter { !$0.isPaused }) else { return }
        if process.worker == nil, self.random.oneIn(2) { return try self.beginRequest(on: process) }
        let states = Set(self.watch.rows.values.map(\.state))
        var begins: [(SimulatedProcess) throws -> Void] = [self.beginReaping]
        if states.contains(.queued) { begins += [self.beginFill, self.beginFill, self.beginFill] }
        if states.contains(.scheduled) { begins += [self.beginPromote, self.beginPromote] }
        if states.contains(.dispatched) { begins.append(self.beginRedispatch) }
        if states.contains(where: \.isTerminal) { begins.append(self.beginJanitor) }
        if process.worker != nil {
            let weight = self.redis.entries.isEmpty ? 1 : 4
            begins += Array(repeating: self.beginWork, count: weight)
        }
        try self.random.pick(begins)?(process)
    }
}
