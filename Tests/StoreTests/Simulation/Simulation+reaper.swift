import Domain
import Store

@testable import Store

/// What a death has left, as `Reaper` and `Janitor` find it.
extension Simulation {
    func beginReaping(on process: SimulatedProcess) {
        switch self.random.below(5) {
        case 0: self.beginReap(on: process)
        case 3: self.beginStrayCancels(on: process)
        case 1: self.beginFailParents(on: process)
        case 2: self.beginShutOut(on: process)
        default: self.beginAnnouncing(on: process)
        }
    }

    func beginReap(on process: SimulatedProcess) {
        process.begin("reap") {
            let lost = try self.write(.durable) {
                try $0.reap(lease: Self.lease, lostMax: self.lostMax, limit: Self.batchMax)
            }
            if !lost.isEmpty { self.note("  lost \(lost.map { "\($0.id) \($0.state) at \($0.epoch)" })") }
            return try self.fence(lost[...])
        }
    }

    /// Writes the first event of the new epochs, so that Redis refuses the old workers'.
    private func fence(_ lost: ArraySlice<LostJob>) throws -> Progress {
        guard let job = lost.first else { return .done }
        let rest = { try self.fence(lost.dropFirst()) }
        let id = EventID(epoch: job.epoch, sequence: 0)
        if job.state == .dead {
            return self.announceFromLedger(job.id, at: id) {
                guard let parent = job.parent else { return try rest() }
                return self.childFailed(of: parent, then: rest)
            }
        }
        return .next("fence \(job.id)") {
            let attempt = SimulatedRedis.Event(id: id, type: .attempt)
            guard case .missing = try self.redis.append([attempt], to: job.id, creating: false) else {
                return try rest()
            }
            return .next("make the log of \(job.id) as a fence") {
                guard try self.ledger.job(job.id) != nil else { return try rest() }
                let start = SimulatedRedis.Event(id: .start, type: .start)
                try self.makeLog(of: job.id, with: [start, attempt])
                return try rest()
            }
        }
    }

    /// The siblings of a child that failed are cancelled, if their parent fails with it.
    func childFailed(of parent: JobID, then: @escaping () throws -> Progress = { .done }) -> Progress {
        .next("cancel the siblings under \(parent)") {
            let tree = try self.write(.durable) { ledger -> CancelledTree? in
                try ledger.mustFailParent(of: parent) ? try ledger.cancelChildren(of: parent) : nil
            }
            guard let tree else { return try then() }
            guard self.jobs[parent]?.policy == .failParent else {
                throw Violation("\(parent) is to go on, and its children were cancelled")
            }
            return self.tell(tree, then: then)
        }
    }

    func beginFailParents(on process: SimulatedProcess) {
        process.begin("fail parents") {
            let parents = try self.ledger.failedParents(limit: Self.batchMax)
            guard let first = parents.first else { return .done }
            return self.childFailed(of: first)
        }
    }

    func beginShutOut(on process: SimulatedProcess) {
        process.begin("shut out the deaf") {
            guard let job = try self.ledger.overdueCancels(grace: Self.cancelGrace, limit: 1).first
            else { return .done }
            return .next("shut out \(job.id)") {
                do {
                    let id = try self.write(.durable) {
                        try $0.end(job, Ending(state: .cancelled, stopReason: .cancelled))
                    }
                    return self.announceFromLedger(job.id, at: id) {
                        job.parentID.map { self.childFailed(of: $0) } ?? .done
                    }
                } catch let error as StoreError where error.code == .fenced {
                    return .done
                }
            }
        }
    }

    func beginAnnouncing(on process: SimulatedProcess) {
        process.begin("look for the unannounced") {
            let jobs = try self.ledger.unannounced(olderThan: Self.announceAge, limit: Self.batchMax)
            guard let job = self.isStormy ? self.random.pick(jobs) : jobs.first else { return .done }
            return .next("look at the log of \(job.id)") {
                let last = try self.redis.last(of: job.id)
                // Without a log only a worker that was shut out may still make one.
                let isShutOut = last == nil && job.wasClaimed && job.state != .completed
                guard !(last?.type.isTerminal ?? !isShutOut) else {
                    return .next("note that \(job.id) is announced") {
                        try self.write(.relaxed) { try $0.announced([job.id]) }
                        return .done
                    }
                }
                let seal = EventID(epoch: max(job.epoch, 1), sequence: Int64(Int32.max))
                guard isShutOut else { return self.seal(job, at: seal) }
                return .next("make the log of \(job.id) to seal it") {
                    let start = SimulatedRedis.Event(id: .start, type: .start)
                    try self.makeLog(of: job.id, with: [start])
                    return self.seal(job, at: seal)
                }
            }
        }
    }

    private func makeLog(of job: JobID, with events: [SimulatedRedis.Event]) throws {
        let wasThere = self.redis.logs[job] != nil
        _ = try self.redis.append(events, to: job, creating: true)
        if !wasThere { self.livesOfLogs[job] = self.watch.rows[job]?.redrives }
    }

    /// Shuts the log against the worker first, and then looks whether it has written the end after all.
    private func seal(_ job: Job, at seal: EventID) -> Progress {
        .next("seal the log of \(job.id)") {
            let events = [SimulatedRedis.Event(id: seal, type: .attempt)]
            _ = try self.redis.append(events, to: job.id, creating: false)
            return .next("look behind the seal of \(job.id)") {
                let last = self.redis.logs[job.id]?.events.suffix(2).last { $0.id != seal }
                guard let last, last.type.isTerminal else {
                    return self.announce(job.id, job.state, at: max(seal, last?.id ?? seal).next) { .done }
                }
                return .next("take the seal of \(job.id) away") {
                    try self.redis.remove(seal, from: job.id)
                    try self.write(.relaxed) { try $0.announced([job.id]) }
                    return .done
                }
            }
        }
    }

    /// Jobs that were cancelled while they ran, and do not run any more.
    func beginStrayCancels(on process: SimulatedProcess) {
        process.begin("look for stray cancels") {
            guard let job = try self.ledger.strayCancels(limit: Self.batchMax).first else { return .done }
            return .next("cancel \(job.id)") { try self.cancel(job.id, of: job.tenant) }
        }
    }

    func beginJanitor(on process: SimulatedProcess) {
        process.begin("expire") {
            let count = try self.write(.relaxed) {
                try $0.expire(endedBefore: $0.now - Self.retention, limit: Self.batchMax)
            }
            if count > 0 { self.note("  \(count) gone") }
            return .done
        }
    }
}
