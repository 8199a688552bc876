import Domain
import Store

/// What tests do with jobs; a job of lane "c" belongs to conversation "c" of the default tenant.
extension TestStore {
    /// The ledger as a table, in order of submission: `id state[ head] attempt/claims/lost`.
    func jobs() async throws(StoreError) -> [String] {
        try await self.texts(
            """
            SELECT id || ' ' || state || CASE lane_head WHEN 1 THEN ' head' ELSE '' END
                || ' ' || attempt || '/' || claims || '/' || lost
            FROM jobs ORDER BY created_at, rowid
            """
        )
    }

    func job(_ id: JobID) async throws -> Job {
        guard let job = try await self.ledger({ try $0.job(id) }) else { throw StoreError(.notFound, "no \(id)") }
        return job
    }

    /// Makes the conversation and submits a job for it; the user's message is `<id>.user`.
    @discardableResult
    func submit(
        _ id: JobID,
        lane: ConversationID? = nil,
        tenant: TenantID = .default,
        priority: JobPriority = .default,
        after delay: Duration? = nil,
        hasRoom: Bool = false,
        context: [String: JSONValue]? = nil
    ) async throws -> JobState {
        let conversation = lane ?? ConversationID(rawValue: "own-\(id)")
        let payload = try JSON.text(
            ChatPayload(
                text: "Question of \(id)",
                conversationID: conversation,
                userMessageID: MessageID(rawValue: "\(id).user"),
                answerID: MessageID(rawValue: "\(id).answer"),
                context: context
            )
        )
        let job = NewJob(
            id: id,
            kind: .chat,
            tenant: tenant,
            priority: priority,
            conversationID: conversation,
            runAt: delay.map { self.clock.now + $0 },
            payload: payload
        )
        guard case .accepted(let state) = try await self.accept(job, hasRoom: hasRoom) else {
            throw StoreError(.overloaded, "\(id) was not accepted")
        }
        return state
    }

    /// Makes the conversation, if the job has one, and submits the job.
    @discardableResult
    func accept(_ job: NewJob, hasRoom: Bool = false, laneMax: Int = .max) async throws -> Submission {
        try await self.database.write(.durable) { connection in
            if let conversation = job.conversationID {
                try Conversations(connection).ensure(conversation, of: job.tenant, title: "T", agent: .default)
            }
            return try Ledger(connection).submit(job, hasRoom: hasRoom, laneMax: laneMax)
        }
    }

    /// Dispatches what is ready and claims `id`.
    @discardableResult
    func run(_ id: JobID, by worker: WorkerID = "w1") async throws -> Job {
        try await self.ledger { ledger in
            try ledger.dispatchReady()
            guard let job = try ledger.claim([id], by: worker).first else {
                throw StoreError(.notFound, "\(id) is not there to be claimed")
            }
            return job
        }
    }

    func finish(_ job: Job, _ state: JobState = .completed) async throws {
        try await self.ledger { try $0.finish(job.id, epoch: job.epoch, Ending(state: state)) }
    }

    func register(_ worker: WorkerID, slots: Int = 4) async throws {
        try await self.workers { try $0.register(worker, host: "h", pid: 1, version: "0", slots: slots) }
    }

    /// `role: content` of a conversation's messages in order.
    func dialog(_ conversation: ConversationID, of tenant: TenantID = .default) async throws -> [String] {
        try await self.conversations { conversations in
            try conversations.messages(of: conversation, of: tenant, last: 1000).map { "\($0.role): \($0.content)" }
        }
    }
}

extension NewJob {
    /// A job that does nothing, in the lane of a conversation or its own.
    static func noop(
        _ id: JobID,
        lane: ConversationID? = nil,
        tenant: TenantID = .default,
        runAt: Timestamp? = nil,
        parent: Parent? = nil,
        idempotency: Idempotency? = nil
    ) -> NewJob {
        NewJob(
            id: id,
            kind: .noop,
            tenant: tenant,
            conversationID: lane,
            runAt: runAt,
            parent: parent,
            idempotency: idempotency,
            payload: "{}"
        )
    }
}

extension Ledger {
    /// Dispatches what is ready as if there were room for all: by tenant, priority and age.
    @discardableResult
    func dispatchReady(limit: Int = 1000) throws -> [JobID] {
        var ids: [JobID] = []
        for tenant in try self.readyTenants() {
            for priority in JobPriority.allCases {
                ids += try self.ready(of: tenant, priority, limit: limit - ids.count)
            }
        }
        for id in ids { try self.dispatch(id) }
        return ids
    }
}

extension CancelResult {
    /// What the cancel reached; nil when the job had ended already.
    var tree: CancelledTree? {
        if case .cancelled(let tree) = self { tree } else { nil }
    }
}

/// Parents and children.
extension TestStore {
    /// Submits a workflow, runs it and lets it wait for children in lanes of their own.
    func submitTree(_ root: JobID, _ children: [JobID], onFailure policy: ChildFailurePolicy = .continue) async throws {
        try await self.accept(.noop(root))
        try await self.wait(try await self.run(root), for: children, onFailure: policy)
    }

    func wait(_ parent: Job, for children: [JobID], onFailure policy: ChildFailurePolicy = .continue) async throws {
        let jobs = children.enumerated().map { index, id in
            NewJob.noop(id, parent: .init(id: parent.id, step: 0, index: index))
        }
        try await self.ledger { try $0.wait(parent.id, epoch: parent.epoch, for: jobs, onFailure: policy) }
    }

    func states(of ids: [JobID]) async throws -> [JobState] {
        try await self.ledger { ledger in try ids.compactMap { try ledger.job($0)?.state } }
    }
}
