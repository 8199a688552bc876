import Domain
import Store

@testable import Store

/// What a worker does, as `Consumer`, `JobRunner` and `Heartbeat` do it.
extension Simulation {
    func beginWork(on process: SimulatedProcess) {
        guard let worker = process.worker else { return }
        switch self.random.below(8) {
        case 0, 1: self.beginBeat(worker, process)
        case 2: self.beginRead(worker, process, isReclaim: true)
        case 3 where self.isStormy && self.random.oneIn(6): process.isDraining = true
        default: self.beginRead(worker, process, isReclaim: false)
        }
    }

    func register(_ process: SimulatedProcess) throws {
        guard let worker = process.worker else { return }
        try self.write(.relaxed) { _ in
            try Workers(self.connection).register(
                worker,
                host: "h",
                pid: 1,
                version: "0",
                slots: SimulatedProcess.slots
            )
        }
    }

    func beginBeat(_ worker: WorkerID, _ process: SimulatedProcess) {
        process.begin("beat") {
            do {
                let figures = WorkerFigures(running: process.runs.count)
                let orders = try self.write(.relaxed) { _ in
                    try Workers(self.connection).beat(worker, figures, draining: process.isDraining)
                }
                for run in process.runs where orders.cancel.contains(run.job.id) { run.isCancelled = true }
                if orders.drain { process.isDraining = true }
            } catch let error as StoreError where error.code == .notFound {
                for run in process.runs { run.isLeaseLost = true }
                try self.register(process)
            }
            guard process.isDraining, process.operations.count == 1 else { return .done }
            return .next("leave") {
                guard process.operations.count == 1 else { return .done }
                try self.write(.relaxed) { _ in try Workers(self.connection).remove(worker) }
                self.processes.removeAll { $0 === process }
                return .done
            }
        }
    }

    func beginRead(_ worker: WorkerID, _ process: SimulatedProcess, isReclaim: Bool) {
        guard !process.isDraining, process.freeSlots > 0 else { return }
        process.begin(isReclaim ? "reclaim" : "read") {
            let free = process.freeSlots
            guard free > 0 else { return .done }
            let now = self.clock.now
            let entries =
                isReclaim
                ? try self.redis.reclaim(free, for: worker, idle: Self.reclaimIdle, at: now)
                : try self.redis.read(free + self.random.below(3), for: worker, at: now)
            guard !entries.isEmpty else { return .done }
            // It may have fewer slots by now.
            let most = self.random.oneIn(4) ? self.random.below(free + 1) : free
            return .next("claim \(entries.map(\.job))") {
                let excess = entries.dropFirst(most).map(\.job)
                let jobs = try self.write(.relaxed) { ledger in
                    try ledger.undispatch(excess)
                    return try ledger.claim(entries.prefix(most).map(\.job), by: worker)
                }
                for job in jobs { self.start(SimulatedRun(job), process) }
                return .next("settle \(entries.map(\.job))") {
                    try self.redis.settle(entries)
                    return .done
                }
            }
        }
    }

    // MARK: A run

    private func start(_ run: SimulatedRun, _ process: SimulatedProcess) {
        let id = run.job.id
        process.begin("run \(id) at \(run.job.epoch)", run: run) {
            if run.job.redrives > 0, run.job.claims == 1 { try? self.redis.deleteLog(of: id) }
            return .next("load \(id)") {
                for step in try self.ledger.steps(of: id) { run.done[step.index] = step.state }
                return self.deliver([.attempt], of: run) { self.goOn(run, at: 0, process) }
            }
        }
    }

    /// From the step of that number.
    private func goOn(_ run: SimulatedRun, at index: Int, _ process: SimulatedProcess) -> Progress {
        let id = run.job.id
        return .next("step \(index) of \(id)") {
            guard let job = self.jobs[id], !run.isLeaseLost else { return self.giveUp(run) }
            if run.isCancelled, !job.isDeaf { return self.finish(run, as: .cancelled) }
            if process.isDraining || self.isStormy && self.random.oneIn(25) { return self.release(run) }
            guard job.steps.indices.contains(index) else { return self.outcome(of: run, job) }
            let next = { self.goOn(run, at: index + 1, process) }
            switch (job.steps[index], run.done[index]) {
            case (_, .done), (_, .failed), (_, .unknown): return next()
            case (.modelTurn, _):
                return self.deliver([.token, .token], of: run) { self.record(index, .done, of: run, then: next) }
            case (.toolCall, .intent): return self.record(index, .unknown, of: run, then: next)
            case (.toolCall, _):
                return self.record(index, .intent, of: run) {
                    .next("side effect of \(id), step \(index)") {
                        let step = self.key(index, of: run)
                        self.effects[step, default: 0] += 1
                        guard self.effects[step] == 1 else {
                            throw Violation("the side effect of \(id), step \(index) happened twice")
                        }
                        return self.record(index, .done, of: run, then: next)
                    }
                }
            }
        }
    }

    private func record(
        _ index: Int,
        _ state: Step.State,
        of run: SimulatedRun,
        then: @escaping () -> Progress
    ) -> Progress {
        let id = run.job.id
        return self.commit("record step \(index) of \(id) as \(state)", run, state == .intent ? .durable : .relaxed) {
            let kind: Step.Kind = self.jobs[id]?.steps[index] == .modelTurn ? .modelTurn : .toolCall
            let step = Step(index: index, kind: kind, state: state, result: nil, usage: nil, covers: run.next)
            try $0.record(step, of: id, epoch: run.job.epoch)
        } then: {
            let isNew = state == .intent || self.finishedSteps.insert(self.key(index, of: run)).inserted
            guard isNew else { throw Violation("step \(index) of \(id) was finished twice") }
            return then()
        }
    }

    private func key(_ step: Int, of run: SimulatedRun) -> String { "\(run.job.id)/\(step)" }

    private func outcome(of run: SimulatedRun, _ job: SimulatedJob) -> Progress {
        if let children = job.children { return self.gather(children, of: run, job) }
        guard run.job.failures >= job.faults else {
            let delay = Duration.milliseconds(self.random.below(4000))
            return self.commit("put off \(run.job.id)", run, .durable) { ledger in
                let failure = JobFailure(code: "fault", message: "Away.", retryable: true)
                try ledger.retry(run.job.id, epoch: run.job.epoch, at: ledger.now + delay, after: failure)
            }
        }
        return self.finish(run, as: job.fails ? .failed : .completed)
    }

    /// A workflow submits its children and waits, or tells what became of them.
    private func gather(_ planned: [NewJob], of run: SimulatedRun, _ job: SimulatedJob) -> Progress {
        let id = run.job.id
        return .next("look at the children of \(id)") {
            let children = try self.ledger.children(of: id)
            // It may wait for what has ended already: it goes on at once.
            let areAllThere = children.count == planned.count && children.allSatisfy(\.state.isTerminal)
            guard areAllThere, !self.random.oneIn(6) else {
                return self.commit("wait for the children of \(id)", run, .durable) { ledger in
                    for child in planned { try self.ensureConversation(of: child) }
                    try ledger.wait(id, epoch: run.job.epoch, for: planned, onFailure: job.policy)
                } then: {
                    self.accepted.formUnion(planned.map(\.id))
                    return .done
                }
            }
            guard children.map(\.id) == planned.map(\.id) else {
                throw Violation("the children of \(id) are in the order \(children.map(\.id))")
            }
            let isFailed = job.policy == .failParent && children.contains { $0.state != .completed }
            return self.finish(run, as: isFailed ? .failed : .completed)
        }
    }

    // MARK: Its end

    private func finish(_ run: SimulatedRun, as state: JobState) -> Progress {
        let id = run.job.id
        return self.commit("finish \(id) as \(state)", run, .durable) { ledger in
            let answer = Message(
                id: MessageID(rawValue: "\(id).answer.\(run.job.redrives)"),
                role: .assistant,
                content: "Answer of \(id)",
                timestamp: self.clock.now
            )
            let ending = Ending(state: state, messages: run.job.kind == .chat && state == .completed ? [answer] : [])
            try ledger.finish(id, epoch: run.job.epoch, ending)
        } then: {
            self.announce(id, state, at: run.next, creatingLog: run.createsLog) {
                guard state != .completed, let parent = run.job.parentID else { return .done }
                return self.childFailed(of: parent)
            }
        }
    }

    private func release(_ run: SimulatedRun) -> Progress {
        self.commit("release \(run.job.id)", run, .durable) { try $0.release(run.job.id, epoch: run.job.epoch) }
    }

    func giveUp(_ run: SimulatedRun) -> Progress {
        .next("disown \(run.job.id)") {
            let isOurs = self.holds(run)
            do {
                try self.write(.durable) { try $0.disown(run.job.id, epoch: run.job.epoch) }
                guard isOurs else { throw Violation("\(run.job.id) was disowned without a lease") }
            } catch let error as StoreError where error.code == .fenced {
                self.note("  somebody has it")
            }
            return .done
        }
    }

    /// Whether the run's lease holds, as only the simulation knows.
    func holds(_ run: SimulatedRun) -> Bool {
        let row = self.watch.rows[run.job.id]
        return row?.state == .running && row?.epoch == run.job.epoch
    }

    /// A write under the run's epoch; it must fail if the lease is gone, and succeed if it is not.
    private func commit(
        _ name: String,
        _ run: SimulatedRun,
        _ durability: Durability,
        _ body: @escaping (Ledger) throws -> Void,
        then: @escaping () throws -> Progress = { .done }
    ) -> Progress {
        .next(name) {
            guard !run.isLeaseLost else { return self.giveUp(run) }
            let isOurs = self.holds(run)
            do {
                try self.write(durability, body)
            } catch let error as StoreError where error.code == .fenced {
                guard !isOurs else { throw Violation("\(name) was refused, and the lease holds") }
                self.note("  fenced")
                return self.giveUp(run)
            }
            guard isOurs else { throw Violation("\(name) was done without a lease") }
            return try then()
        }
    }
}
