import Domain
import Store

@testable import Store

/// How events come into the logs, as `LogWriter` and `JobQueue.announce` do it.
extension Simulation {
    /// XADD, watched: nothing follows a terminal event, and nothing is written of a job whose end was told.
    private func append(
        _ events: [SimulatedRedis.Event],
        to job: JobID,
        creating: Bool,
        expiringAt end: Timestamp? = nil,
        by run: SimulatedRun? = nil
    ) throws -> SimulatedRedis.Appended {
        let before = self.redis.logs[job]?.events ?? []
        let result = try self.redis.append(events, to: job, creating: creating, expiringAt: end)
        let new = (self.redis.logs[job]?.events ?? []).dropFirst(before.count)
        guard !new.isEmpty else { return result }
        self.note("  log of \(job): \(new.map { "\($0.id) \($0.type)" })")
        let life = self.watch.rows[job]?.redrives
        if before.isEmpty { self.livesOfLogs[job] = life }
        if let run, before.isEmpty, self.lostLogs.contains(job), !self.holds(run) {
            // Nothing was left to refuse a worker that had stood still.
            self.livesOfLogs[job] = nil
            return result
        }
        // With Redis away a job may be put back and its old log stay, which expires.
        if before.last?.type.isTerminal == true, self.livesOfLogs[job] == life {
            throw Violation("the log of \(job) goes on after its end")
        }
        // The terminal event itself may be late.
        let isTold = self.toldEnded[job].map { $0 == life } ?? false
        if isTold, self.livesOfLogs[job] == life, let last = new.last, !last.type.isTerminal {
            throw Violation("\(job) has the event \(last.id) \(last.type) after its cancel was answered")
        }
        return result
    }

    /// Brings events of a run into the log, whatever Redis does meanwhile, and goes on with `then`.
    func deliver(_ types: [EventType], of run: SimulatedRun, then: @escaping () -> Progress) -> Progress {
        let events = types.map { type in
            defer { run.next = run.next.next }
            return SimulatedRedis.Event(id: run.next, type: type)
        }
        return self.deliver(events, of: run, then: then)
    }

    private func deliver(
        _ events: [SimulatedRedis.Event],
        of run: SimulatedRun,
        then: @escaping () -> Progress
    ) -> Progress {
        let id = run.job.id
        return .next("events of \(id)") {
            guard !run.isLeaseLost else { return self.giveUp(run) }
            let again = { self.deliver(events, of: run, then: then) }
            do {
                let start = SimulatedRedis.Event(id: .start, type: .start)
                let creates = run.createsLog
                let result = try self.append(creates ? [start] + events : events, to: id, creating: creates, by: run)
                run.createsLog = false
                switch result {
                case .all:
                    // The answer may be lost: then it is sent again, and refused.
                    return self.isStormy && self.random.oneIn(20) ? again() : then()
                case .missing: return self.recreate(id, with: [start] + events, of: run, then: then)
                case .refused: break
                }
                let last = try self.redis.last(of: id)?.id ?? .zero
                guard last.epoch <= run.job.epoch else {
                    // The engine works on until its writer tells it.
                    if self.isStormy, self.random.oneIn(2) { return then() }
                    run.isLeaseLost = true
                    return self.giveUp(run)
                }
                let rest = events.filter { $0.id > last }
                return rest.isEmpty ? then() : self.deliver(rest, of: run, then: then)
            } catch is SimulatedRedis.Away {
                return again()
            }
        }
    }

    private func recreate(
        _ id: JobID,
        with events: [SimulatedRedis.Event],
        of run: SimulatedRun,
        then: @escaping () -> Progress
    ) -> Progress {
        .next("ask whether \(id) is ours") {
            let job = try self.ledger.job(id)
            guard job?.state == .running, job?.epoch == run.job.epoch else {
                run.isLeaseLost = true
                return self.giveUp(run)
            }
            return .next("make the log of \(id) anew") {
                let snapshot = SimulatedRedis.Event(id: run.next, type: .snapshot)
                run.next = run.next.next
                do {
                    let result = try self.append(events + [snapshot], to: id, creating: true, by: run)
                    guard case .refused = result else { return then() }
                    return self.deliver(Array(events.dropFirst()), of: run, then: then)
                } catch is SimulatedRedis.Away {
                    return self.deliver(Array(events.dropFirst()), of: run, then: then)
                }
            }
        }
    }

    // MARK: Ends

    /// Writes an ended job's terminal event and notes that it is told; what fails is left to a reaper.
    func announce(
        _ id: JobID,
        _ state: JobState,
        at eventID: EventID,
        creatingLog: Bool = false,
        isFence: Bool = false,
        then: @escaping () throws -> Progress
    ) -> Progress {
        .next("announce \(id) at \(eventID)") {
            let terminal = SimulatedRedis.Event(id: eventID, type: Self.terminal(of: state))
            let start = creatingLog ? [SimulatedRedis.Event(id: .start, type: .start)] : []
            do {
                let end = self.clock.now + Self.logTTL
                let result = try self.append(start + [terminal], to: id, creating: creatingLog, expiringAt: end)
                if case .refused = result { return try then() }
                if case .missing = result, isFence {
                    // A worker that has it still would make the log anew, and nothing would end that one.
                    return self.announce(id, state, at: eventID, creatingLog: true, then: then)
                }
            } catch is SimulatedRedis.Away {
                return try then()
            }
            return .next("note that \(id) is announced") {
                try self.write(.relaxed) { try $0.announced([id]) }
                return try then()
            }
        }
    }

    static func terminal(of state: JobState) -> EventType {
        switch state {
        case .completed: .complete
        case .cancelled: .cancelled
        default: .error
        }
    }

    /// Announces a job that ended without its worker, as the ledger tells it.
    func announceFromLedger(_ id: JobID, at eventID: EventID, then: @escaping () throws -> Progress) -> Progress {
        .next("read how \(id) ended") {
            guard let job = try self.ledger.job(id), job.state.isTerminal else { return try then() }
            return self.announce(id, job.state, at: eventID, isFence: job.wasClaimed, then: then)
        }
    }

    /// Tells everybody what a cancel has done.
    func tell(_ tree: CancelledTree, then: @escaping () throws -> Progress) -> Progress {
        .next("tell workers of \(tree.requested)") {
            for job in tree.requested where !(self.isStormy && self.random.oneIn(3)) && self.redis.isUp {
                for run in self.processes.flatMap(\.runs) where run.job.id == job { run.isCancelled = true }
            }
            return try self.announce(tree.ended[...], then: then)
        }
    }

    private func announce(
        _ ended: ArraySlice<CancelledTree.Ended>,
        then: @escaping () throws -> Progress
    ) throws -> Progress {
        guard let first = ended.first else { return try then() }
        return self.announceFromLedger(first.id, at: first.announceAt) {
            try self.announce(ended.dropFirst(), then: then)
        }
    }
}

extension Job {
    /// Whether some worker may have it still, perhaps since before it was put back.
    var wasClaimed: Bool { self.claims > 0 || self.redrives > 0 }
}
