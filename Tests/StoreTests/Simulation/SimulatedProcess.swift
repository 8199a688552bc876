import Domain
import Store

/// What is left of an operation: between two steps its process may die or stand still, and others may come between.
enum Progress {
    case done
    case next(String, () throws -> Progress)
}

/// A process of the simulation: an API server, or a worker.
///
/// Both dispatch and reap.
final class SimulatedProcess {
    struct Operation {
        let number: Int
        var name: String
        /// The run that it is part of; nil when it holds no slot.
        let run: SimulatedRun?
        var step: () throws -> Progress
        /// Whether a step of it was done.
        var isBegun = false
    }

    static let slots = 2

    let name: String
    /// Nil for an API server.
    let worker: WorkerID?
    /// Stands still: its leases may run out, and it goes on later as if nothing had been.
    var isPaused = false
    var isDraining = false
    var operations: [Operation] = []
    private var operationCount = 0

    init(_ name: String, worker: WorkerID?) {
        self.name = name
        self.worker = worker
    }

    var runs: [SimulatedRun] { self.operations.compactMap(\.run) }
    var freeSlots: Int { max(0, Self.slots - self.runs.count) }

    func begin(_ name: String, run: SimulatedRun? = nil, _ step: @escaping () throws -> Progress) {
        self.operationCount += 1
        self.operations.append(Operation(number: self.operationCount, name: name, run: run, step: step))
    }
}

/// One attempt at a job in a worker.
final class SimulatedRun {
    let job: Job
    /// The next event of the attempt.
    var next: EventID
    /// Whether the log is made by the next event.
    var createsLog: Bool
    var isCancelled: Bool
    var isLeaseLost = false
    /// Steps done, by number.
    var done: [Int: Step.State] = [:]

    init(_ job: Job) {
        self.job = job
        self.next = EventID(epoch: job.epoch, sequence: 0)
        self.createsLog = job.claims == 1
        self.isCancelled = job.cancelRequested
    }
}

/// What a job is in the simulation, decided when it is submitted.
struct SimulatedJob {
    enum Step { case modelTurn, toolCall }

    let lane: String
    let tenant: TenantID
    let runAt: Timestamp?
    /// Writes messages.
    let isChat: Bool
    var steps: [Step] = []
    /// Faults of the infrastructure before an attempt goes well.
    var faults = 0
    /// Ends as failed.
    var fails = false
    /// Does not hear cancels.
    var isDeaf = false
    /// Of a workflow; nil for other jobs.
    var children: [NewJob]?
    var policy = ChildFailurePolicy.continue
}
