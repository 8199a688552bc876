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
        return try await self.database.write(.durable) { connection in
            try Conversations(connection).ensure(conversation, of: tenant, title: "T", agent: .default)
            return try Ledger(connection).submit(
                NewJob(
                    id: id,
                    kind: .chat,
                    tenant: tenant,
                    priority: priority,
                    conversationID: conversation,
                    payload: payload
                ),
                hasRoom: hasRoom
            )
        }
    }

    /// Dispatches what is ready and claims `id`.
    @discardableResult
    func run(_ id: JobID, by worker: WorkerID = "w1") async throws -> Job {
        try await self.ledger { ledger in
            _ = try ledger.dispatch(limit: 1000)
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
