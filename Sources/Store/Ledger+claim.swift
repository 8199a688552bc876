package import Domain

extension Ledger {
    /// Claims the jobs of a read for a worker: `running`, a new epoch, one attempt more.
    ///
    /// A job that is not `dispatched` any more is left out: its entry on the stream was a duplicate. The first claim of a
    /// chat job appends the user's message to the conversation.
    package func claim(_ ids: [JobID], by worker: WorkerID) throws -> [Job] {
        try ids.compactMap { id in
            let job = try self.connection.row(
                Self.claimJob,
                [SQLValue(self.connection.now), SQLValue(worker), SQLValue(id)],
                Job.init(row:)
            )
            if let job, job.claims == 1, job.kind == .chat { try self.appendRequest(of: job) }
            return job
        }
    }

    private static let claimJob = """
        UPDATE jobs SET state = 'running', epoch = \(Self.nextEpoch), attempt = attempt + 1,
            claims = claims + 1, worker_id = $2, started_at = $1
        WHERE id = $3 AND state = 'dispatched' RETURNING \(Job.columns)
        """

    private func appendRequest(of job: Job) throws {
        // One that cannot be decoded is its worker's to bury, and must not keep the batch's others from running.
        guard let payload = try? JSON.decode(ChatPayload.self, from: job.payload) else { return }
        let conversations = Conversations(self.connection)
        for message in payload.messages(at: self.connection.now) {
            try conversations.append(message, to: payload.conversationID, of: job.tenant)
        }
    }

    /// Records a step of the run under its epoch; `.fenced` when the lease is gone.
    package func record(_ step: Step, of job: JobID, epoch: Int64) throws {
        let changed = try self.connection.execute(
            """
            INSERT INTO steps (job_id, step, kind, state, call, result, usage, epoch, covers)
            SELECT id, $1, $2, $3, $4, $5, $6, epoch, $7 FROM jobs WHERE id = $8 AND state = 'running' AND epoch = $9
            ON CONFLICT (job_id, step) DO UPDATE SET state = excluded.state, result = excluded.result,
                usage = excluded.usage, epoch = excluded.epoch, covers = excluded.covers
            """,
            [
                SQLValue(step.index), SQLValue(step.kind), SQLValue(step.state),
                SQLValue(try step.call.map { try JSON.text($0) }), SQLValue(step.result),
                SQLValue(try step.usage.map { try JSON.text($0) }), .text(step.covers.description),
                SQLValue(job), SQLValue(epoch),
            ]
        )
        guard changed == 1 else { throw StoreError(.fenced, "job \(job) is not ours at epoch \(epoch)") }
    }

    /// The steps of a job in order.
    package func steps(of job: JobID) throws -> [Step] {
        try self.connection.rows(
            "SELECT step, kind, state, call, result, usage, covers FROM steps WHERE job_id = $1 ORDER BY step",
            [SQLValue(job)]
        ) { row in
            Step(
                index: row.int(0),
                kind: try row.value(1, as: Step.Kind.self),
                state: try row.value(2, as: Step.State.self),
                call: try row.text(3).map { try JSON.decode(ToolCall.self, from: $0) },
                result: row.text(4),
                usage: try row.text(5).map { try JSON.decode(TokenUsage.self, from: $0) },
                covers: EventID(try row.requiredText(6)) ?? .zero
            )
        }
    }
}

extension ChatPayload {
    /// What the conversation gets when the job is first claimed: the context, if any, and the user's message.
    func messages(at time: Timestamp) -> [Message] {
        var messages: [Message] = []
        if let context, !context.isEmpty, let text = try? JSON.text(context) {
            messages.append(
                Message(
                    id: MessageID(rawValue: self.userMessageID.rawValue + ".context"),
                    role: .system,
                    content: "Context for the next message: " + text,
                    category: .context,
                    timestamp: time,
                    agentID: self.agentID
                )
            )
        }
        messages.append(
            Message(id: self.userMessageID, role: .user, content: self.text, timestamp: time, agentID: self.agentID)
        )
        return messages
    }
}
