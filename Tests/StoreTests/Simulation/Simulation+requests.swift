import Domain
import Store

@testable import Store

/// What clients and operators ask for.
extension Simulation {
    func beginRequest(on process: SimulatedProcess) throws {
        switch self.random.below(20) {
        case 0...8: self.beginSubmit(on: process)
        case 9...12: self.beginCancel(on: process)
        case 13, 14: self.beginRedrive(on: process)
        case 15...17: self.beginDelete(on: process)
        case 18: self.beginPause(on: process)
        default: self.beginDrainRequest(on: process)
        }
    }

    // MARK: Submit

    /// A job as a client may send it.
    private func newJob(_ id: JobID, parent: NewJob.Parent?, tenant: TenantID, depth: Int = 1) throws -> (
        NewJob, SimulatedJob
    ) {
        let isWorkflow = self.random.oneIn(parent == nil ? 4 : depth < 3 ? 5 : 1000)
        let conversation =
            isWorkflow || self.random.oneIn(4)
            ? nil : ConversationID(rawValue: "c\(self.random.below(self.conversationsMax))")
        let isChat = self.isChatty && conversation != nil
        let delay = self.random.oneIn(5) ? Duration.milliseconds(self.random.below(8000)) : nil
        let key = parent == nil && self.random.oneIn(4) ? "k\(self.random.below(3))" : nil
        let new = NewJob(
            id: id,
            kind: isWorkflow ? .workflow : isChat ? .chat : .noop,
            tenant: tenant,
            priority: self.random.pick(JobPriority.allCases) ?? .default,
            conversationID: conversation,
            runAt: delay.map { self.clock.now + $0 },
            parent: parent,
            idempotency: key.map { .init(key: $0, bodyHash: "h\(self.random.below(2))") },
            payload: isChat ? try self.chatPayload(of: id, in: conversation) : "{}"
        )
        var job = SimulatedJob(lane: new.lane, tenant: tenant, runAt: new.runAt, isChat: isChat)
        job.steps = (0..<self.random.below(3)).map { _ in self.random.oneIn(2) ? .modelTurn : .toolCall }
        job.faults = self.random.oneIn(5) ? 1 + self.random.below(2) : 0
        job.fails = self.random.oneIn(6)
        job.isDeaf = self.random.oneIn(8)
        if isWorkflow {
            job.policy = self.random.oneIn(2) ? .failParent : .continue
            job.children = try (0..<(1 + self.random.below(3))).map { index in
                let place = NewJob.Parent(id: id, step: 0, index: index)
                let child = JobID(rawValue: "\(id).\(index)")
                let (new, job) = try self.newJob(child, parent: place, tenant: tenant, depth: depth + 1)
                self.jobs[child] = job
                self.parents[child] = id
                return new
            }
        }
        return (new, job)
    }

    private func chatPayload(of id: JobID, in conversation: ConversationID?) throws -> String {
        try JSON.text(
            ChatPayload(
                text: "Question of \(id)",
                conversationID: conversation ?? "none",
                userMessageID: MessageID(rawValue: "\(id).user"),
                answerID: MessageID(rawValue: "\(id).answer")
            )
        )
    }

    private func beginSubmit(on process: SimulatedProcess) {
        let id = JobID(rawValue: "j\(self.nextJobNumber())")
        process.begin("submit \(id)") {
            let tenant = self.random.pick(self.tenants) ?? .default
            let (new, job) = try self.newJob(id, parent: nil, tenant: tenant)
            let hasRoom = new.runAt == nil && Self.runningMax[tenant] == nil && self.random.oneIn(2)
            let expected = self.expectation(for: new)
            let open = self.watch.rows.count { $0.value.isPlaced && self.jobs[$0.key]?.lane == new.lane }
            self.jobs[id] = job
            let submission = try self.write(.durable) { ledger in
                if let earlier = try ledger.earlier(than: new) { return earlier }
                try self.ensureConversation(of: new)
                return try ledger.submit(new, hasRoom: hasRoom, laneMax: Self.laneMax)
            }
            self.note("  \(new.kind) of \(tenant) in lane \(new.lane): \(submission)")
            if let expected, submission != expected {
                throw Violation("a request came to \(submission), not to \(expected)")
            }
            switch submission {
            case .accepted(let state):
                if expected == nil, state != .scheduled, open >= Self.laneMax {
                    throw Violation("\(id) was accepted into a lane of \(open)")
                }
                self.accepted.insert(id)
                if let key = new.idempotency {
                    self.keys["\(tenant)/\(key.key)"] = (id, key.bodyHash, self.clock.now)
                }
                guard state == .dispatched else { return .done }
                return .next("put \(id) on its stream") {
                    try self.redis.add(id)
                    return .done
                }
            case .laneFull:
                guard open >= Self.laneMax else { throw Violation("a lane of \(open) is full") }
                self.jobs[id] = nil
            case .replayed, .keyReused: self.jobs[id] = nil
            }
            return .done
        }
    }

    func ensureConversation(of job: NewJob) throws {
        guard job.kind == .chat, let conversation = job.conversationID else { return }
        try Conversations(self.connection).ensure(conversation, of: job.tenant, title: "T", agent: .default)
    }

    /// What a request with a key must come to; nil when it is the first.
    private func expectation(for new: NewJob) -> Submission? {
        guard let key = new.idempotency, let known = self.keys["\(new.tenant)/\(key.key)"],
            !self.gone.contains(known.job), known.at > self.clock.now - Ledger.idempotencyKept
        else { return nil }
        return known.hash == key.bodyHash ? .replayed(known.job) : .keyReused
    }

    // MARK: Cancel, redrive, delete

    private func anyJob(_ isWanted: (SimulationWatch.Row) -> Bool) -> JobID? {
        // In a fixed order, for the sake of those that throw dice.
        self.random.pick(self.watch.rows.sorted { $0.key < $1.key }.filter { isWanted($0.value) }.map(\.key))
    }

    private func beginCancel(on process: SimulatedProcess) {
        guard let id = self.anyJob({ $0.isOpen || self.random.oneIn(8) }), let tenant = self.jobs[id]?.tenant
        else { return }
        process.begin("cancel \(id)") { try self.cancel(id, of: tenant) }
    }

    func cancel(_ id: JobID, of tenant: TenantID) throws -> Progress {
        guard let before = self.watch.rows[id] else { return .done }
        let reach = self.openTree(under: id)
        let result = try self.write(.durable) { try $0.cancel(id, of: tenant) }
        guard case .cancelled(let tree) = result else {
            guard before.state.isTerminal else { throw Violation("\(id) is \(before.state): \(result)") }
            return .done
        }
        self.note("  ended \(tree.ended.map(\.id)), asked \(tree.requested)")
        for job in reach {
            guard let row = self.watch.rows[job], row.state.isTerminal || row.isCancelRequested else {
                throw Violation("\(job) was not reached by the cancel of \(id)")
            }
        }
        if self.isStormy, !tree.requested.isEmpty { self.lingerOver(id) }
        return self.tell(tree) {
            // With Redis away nobody could be told.
            for job in tree.ended where self.redis.isUp && self.watch.rows[job.id]?.isAnnounced == true {
                self.toldEnded[job.id] = self.watch.rows[job.id]?.redrives
            }
            guard let parent = self.parents[id], tree.ended.first?.id == id else { return .done }
            return self.childFailed(of: parent)
        }
    }

    /// While the workers have not obeyed yet, their time is up, or somebody deletes what has ended.
    private func lingerOver(_ id: JobID) {
        guard let other = self.random.pick(self.processes.filter { !$0.isPaused }) else { return }
        switch self.random.below(4) {
        case 0, 1:
            self.clock.advance(by: Self.cancelGrace)
            self.beginShutOut(on: other)
        case 2: self.beginDelete(id, on: other)
        default: break
        }
    }

    private func openTree(under id: JobID) -> [JobID] {
        guard self.watch.rows[id]?.isOpen == true else { return [] }
        return [id] + self.parents.filter { $0.value == id }.keys.sorted().flatMap { self.openTree(under: $0) }
    }

    private func tree(under id: JobID) -> [JobID] {
        [id] + self.parents.filter { $0.value == id }.keys.sorted().flatMap { self.tree(under: $0) }
    }

    private func beginRedrive(on process: SimulatedProcess) {
        guard let id = self.anyJob({ $0.state == .failed || $0.state == .dead || self.random.oneIn(10) }),
            let tenant = self.jobs[id]?.tenant
        else { return }
        process.begin("redrive \(id)") {
            guard let before = self.watch.rows[id] else { return .done }
            let isBack = try self.write(.durable) { try $0.redrive(id, of: tenant) }
            guard isBack == (before.state == .failed || before.state == .dead) else {
                throw Violation("\(id) was \(before.state), redrive says \(isBack)")
            }
            guard isBack else { return .done }
            return .next("delete the log of \(id)") {
                try self.redis.deleteLog(of: id)
                return .done
            }
        }
    }

    private func beginDelete(on process: SimulatedProcess) {
        if let id = self.anyJob({ $0.state.isTerminal || self.random.oneIn(10) }) { self.beginDelete(id, on: process) }
    }

    private func beginDelete(_ id: JobID, on process: SimulatedProcess) {
        guard let tenant = self.jobs[id]?.tenant else { return }
        process.begin("delete \(id)") {
            guard self.watch.rows[id] != nil else { return .done }
            // A parent that runs again would make a child anew that is gone.
            let related = self.tree(under: id) + [self.parents[id]].compactMap { $0 }
            let isOpen = related.contains { self.watch.rows[$0]?.isOpen == true }
            let isGone = try self.write(.durable) { try $0.delete(id, of: tenant) }
            guard isGone != isOpen else {
                throw Violation("\(id) has something open around it: \(isOpen), deleted: \(isGone)")
            }
            guard isGone else { return .done }
            return .next("delete the log of \(id)") {
                try self.redis.deleteLog(of: id)
                return .done
            }
        }
    }

    // MARK: Operators

    private func beginPause(on process: SimulatedProcess) {
        process.begin("pause or resume") {
            let isPaused = try self.ledger.isPaused()
            try self.write(.durable) { try $0.setPaused(!isPaused) }
            if !isPaused, self.watch.rows.contains(where: { $0.value.state == .dispatched }) {
                throw Violation("paused, and a job is dispatched")
            }
            return .done
        }
    }

    private func beginDrainRequest(on process: SimulatedProcess) {
        guard self.random.oneIn(3), let worker = self.random.pick(self.processes.compactMap(\.worker)) else { return }
        process.begin("ask \(worker) to drain") {
            try self.write(.durable) { _ in _ = try Workers(self.connection).requestDrain(worker) }
            return .done
        }
    }
}
