import Domain
import Store

/// Something that must never be, was.
struct Violation: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The ledger as it was after the last transaction, to judge the next by.
struct SimulationWatch {
    struct Row: Equatable {
        var state: JobState
        var isHead: Bool
        var isAnnounced: Bool
        var isCancelRequested: Bool
        var position: Int64
        var epoch: Int64
        var attempt: Int64
        var claims: Int64
        var lost: Int64
        var failures: Int64
        var redrives: Int64

        /// Has a place in its lane.
        var isPlaced: Bool { !self.state.isTerminal && self.position > 0 }
        var isBusy: Bool { [.dispatched, .running, .waiting].contains(self.state) }
        var counters: [Int64] { [self.attempt, self.claims, self.lost, self.failures] }
    }

    private static let states = JobState.allCases
    /// Each row as few columns as possible: this is read after every transaction.
    static let query = """
        SELECT id, lane_position, epoch, CASE state \
        \(Self.states.enumerated().map { "WHEN '\($1.rawValue)' THEN \($0)" }.joined(separator: " ")) END
            + 16 * lane_head + 32 * announced + 64 * (cancel_requested_at IS NOT NULL)
            + 128 * (finished_at IS NOT NULL) + 256 * (run_at IS NOT NULL),
            attempt + 256 * claims + 65536 * lost + 16777216 * failures + 4294967296 * redrives
        FROM jobs
        """

    private(set) var rows: [JobID: Row] = [:]

    /// Takes the ledger as it is, without judging how it came to be so.
    mutating func rebase(_ rows: [JobID: Row]) { self.rows = rows }

    static func row(_ row: any SQLRow) throws -> (JobID, Row) {
        let (id, flags, counts) = (row.text(0) ?? "", row.integer(3) ?? 0, row.integer(4) ?? 0)
        let state = Self.states[Int(flags & 15)]
        guard (flags & 128 != 0) == state.isTerminal else { throw Violation("\(id) is \(state), finished_at lies") }
        guard (flags & 32 == 0) || state.isTerminal else { throw Violation("\(id) is \(state) and announced") }
        guard (flags & 256 != 0) == (state == .scheduled) else { throw Violation("\(id) is \(state), run_at lies") }
        return (
            JobID(rawValue: id),
            Row(
                state: state,
                isHead: flags & 16 != 0,
                isAnnounced: flags & 32 != 0,
                isCancelRequested: flags & 64 != 0,
                position: row.integer(1) ?? 0,
                epoch: row.integer(2) ?? 0,
                attempt: counts & 255,
                claims: counts >> 8 & 255,
                lost: counts >> 16 & 255,
                failures: counts >> 24 & 255,
                redrives: counts >> 32
            )
        )
    }

    /// Judges what a transaction has done, and remembers it.
    mutating func observe(
        _ new: [JobID: Row],
        jobs: [JobID: SimulatedJob],
        parents: [JobID: JobID],
        runningMax: [TenantID: Int]
    ) throws {
        let old = self.rows
        self.rows = new
        for (id, row) in new where old[id] != row { try Self.check(id, from: old[id], to: row) }
        for (id, row) in old where new[id] == nil && !row.state.isTerminal {
            throw Violation("\(id) is gone, and was \(row.state)")
        }
        var lanes: [String: [(id: JobID, row: Row)]] = [:]
        var active: [TenantID: Int] = [:]
        for (id, row) in new where !row.state.isTerminal {
            guard let job = jobs[id] else { throw Violation("\(id) came from nowhere") }
            if row.isPlaced { lanes[job.lane, default: []].append((id, row)) }
            if row.state == .dispatched || row.state == .running { active[job.tenant, default: 0] += 1 }
            if row.state == .waiting, !parents.contains(where: { $0.value == id && new[$0.key]?.isOpen == true }) {
                throw Violation("\(id) waits for nobody")
            }
        }
        for (lane, placed) in lanes { try Self.check(lane, placed, old: old, jobs: jobs) }
        for (tenant, most) in runningMax where active[tenant, default: 0] > most {
            throw Violation("\(tenant) has \(active[tenant, default: 0]) active jobs, more than \(most)")
        }
    }

    /// At every moment: one head in each lane, the first; nothing but the head is under way; places are given in order.
    private static func check(
        _ lane: String,
        _ placed: [(id: JobID, row: Row)],
        old: [JobID: Row],
        jobs: [JobID: SimulatedJob]
    ) throws {
        let line = placed.sorted { $0.row.position < $1.row.position }
        for (index, job) in line.enumerated() {
            guard job.row.isHead == (index == 0) else {
                throw Violation("lane \(lane) has its head wrong: \(line.map { "\($0.id) \($0.row)" })")
            }
            guard index == 0 || !job.row.isBusy else {
                throw Violation("\(job.id) is \(job.row.state) and not the first of lane \(lane)")
            }
            guard index > 0 else { continue }
            let before = line[index - 1]
            guard before.row.position < job.row.position else {
                throw Violation("\(before.id) and \(job.id) have one place in lane \(lane)")
            }
            let isNew = { (job: (id: JobID, row: Row)) in
                old[job.id]?.isPlaced != true || old[job.id]?.redrives != job.row.redrives
            }
            guard isNew(job) || !isNew(before) else {
                throw Violation("\(before.id) has overtaken \(job.id) in lane \(lane)")
            }
            let wereDelayed = old[before.id]?.state == .scheduled && old[job.id]?.state == .scheduled
            if wereDelayed, isNew(before), isNew(job), let first = jobs[before.id]?.runAt,
                let second = jobs[job.id]?.runAt
            {
                guard first <= second else { throw Violation("\(before.id) was due after \(job.id) in lane \(lane)") }
            }
        }
    }

    private static let transitions: [JobState: Set<JobState>] = [
        .scheduled: [.queued, .cancelled],
        .queued: [.dispatched, .cancelled],
        .dispatched: [.queued, .running, .cancelled],
        .running: [.completed, .failed, .cancelled, .dead, .queued, .scheduled, .waiting],
        .waiting: [.queued, .cancelled],
        .failed: [.queued],
        .dead: [.queued],
    ]

    private static func check(_ id: JobID, from old: Row?, to new: Row) throws {
        guard let old else {
            guard [.scheduled, .queued, .dispatched].contains(new.state), new.counters == [0, 0, 0, 0] else {
                throw Violation("\(id) began as \(new)")
            }
            return
        }
        var complaint: Violation { Violation("\(id) went from \(old) to \(new)") }
        guard new.epoch >= old.epoch, new.redrives == old.redrives || new.redrives == old.redrives + 1 else {
            throw complaint
        }
        if new.redrives > old.redrives {
            // A cancelled one with its parent.
            guard new.state == .queued, [.failed, .dead, .cancelled].contains(old.state), new.epoch > old.epoch,
                new.counters == [0, 0, 0, 0], !new.isAnnounced, !new.isCancelRequested
            else { throw complaint }
            return
        }
        guard new.state != old.state else {
            guard new.epoch == old.epoch, new.counters == old.counters else { throw complaint }
            if old.state.isTerminal, old.isAnnounced, !new.isAnnounced { throw complaint }
            return
        }
        guard Self.transitions[old.state]?.contains(new.state) == true, !old.state.isTerminal,
            Self.isCountedRight(from: old, to: new)
        else { throw complaint }
    }

    /// Attempts, claims, losses and failures count what they say, and a new lease has a new epoch.
    private static func isCountedRight(from old: Row, to new: Row) -> Bool {
        let change = zip(old.counters, new.counters).map { $1 - $0 }
        switch (old.state, new.state) {
        case (_, .running): return change == [1, 1, 0, 0] && new.epoch > old.epoch
        case (.running, .queued):
            // Given back, or lost.
            return change == [-1, 0, 0, 0] && new.epoch == old.epoch || change == [0, 0, 1, 0] && new.epoch > old.epoch
        case (.running, .scheduled): return change == [0, 0, 0, 1] && new.epoch == old.epoch
        case (.running, .waiting): return change == [-1, 0, 0, 0] && new.epoch == old.epoch
        case (.running, .dead): return change == [0, 0, 1, 0] && new.epoch > old.epoch || change == [0, 0, 0, 0]
        default: return change == [0, 0, 0, 0]
        }
    }
}

extension SimulationWatch.Row {
    var isOpen: Bool { !self.state.isTerminal }
    /// Cancelled while it ran, and does not run any more.
    var isStrayCancel: Bool { self.isOpen && self.isCancelRequested && self.state != .running }
}
