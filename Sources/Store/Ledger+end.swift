package import Domain

extension Ledger {
    /// Ends a running job under its epoch, appends its messages, frees its lane and tells its parent; `.fenced` when the
    /// lease is gone.
    package func finish(_ id: JobID, epoch: Int64, _ ending: Ending) throws {
        let ended = try self.connection.row(
            Self.finishJob,
            [
                SQLValue(ending.state), SQLValue(ending.result),
                SQLValue(try ending.failure.map { try JSON.text($0) }),
                SQLValue(ending.stopReason?.rawValue), SQLValue(ending.usage), SQLValue(self.connection.now),
                SQLValue(id), SQLValue(epoch),
            ],
            EndedJob.init(row:)
        )
        guard let ended else { throw StoreError(.fenced, "job \(id) is not ours at epoch \(epoch)") }
        try self.settle(ended, ending.messages)
    }

    private static let finishJob = """
        UPDATE jobs SET state = $1, result = $2, failure = $3, stop_reason = $4, usage = $5, finished_at = $6,
            announced = 0
        WHERE id = $7 AND state = 'running' AND epoch = $8 RETURNING \(EndedJob.columns)
        """

    /// Ends a job from outside, whatever its lease: a new epoch shuts its worker out.
    ///
    /// Returns where the terminal event goes; `.fenced` when the job has moved on.
    package func end(_ job: Job, _ ending: Ending) throws -> EventID {
        let ended = try self.connection.row(
            """
            UPDATE jobs SET finished_at = $1, state = $2, failure = $3, stop_reason = $4, run_at = NULL, announced = 0,
                epoch = \(Self.nextEpoch)
            WHERE id = $5 AND state = $6 AND epoch = $7 RETURNING \(EndedJob.columns)
            """,
            [
                SQLValue(self.connection.now), SQLValue(ending.state),
                SQLValue(try ending.failure.map { try JSON.text($0) }), SQLValue(ending.stopReason?.rawValue),
                SQLValue(job.id), SQLValue(job.state), SQLValue(job.epoch),
            ],
            EndedJob.init(row:)
        )
        guard let ended else { throw StoreError(.fenced, "job \(job.id) has moved on from \(job.state)") }
        try self.settle(ended, ending.messages)
        return EventID(epoch: ended.epoch, sequence: 0)
    }

    /// Gives a running job back: to the head of its lane, the attempt not counted.
    ///
    /// `.fenced` when the lease is gone.
    package func release(_ id: JobID, epoch: Int64) throws {
        let changed = try self.connection.execute(
            """
            UPDATE jobs SET state = 'queued', attempt = attempt - 1, worker_id = NULL
            WHERE id = $1 AND state = 'running' AND epoch = $2
            """,
            [SQLValue(id), SQLValue(epoch)]
        )
        guard changed == 1 else { throw StoreError(.fenced, "job \(id) is not ours at epoch \(epoch)") }
    }

    /// Leaves a running job without a worker, so that the next reaper takes it.
    ///
    /// `.fenced` when the lease is gone.
    package func disown(_ id: JobID, epoch: Int64) throws {
        let changed = try self.connection.execute(
            "UPDATE jobs SET worker_id = NULL WHERE id = $1 AND state = 'running' AND epoch = $2",
            [SQLValue(id), SQLValue(epoch)]
        )
        guard changed == 1 else { throw StoreError(.fenced, "job \(id) is not ours at epoch \(epoch)") }
    }

    /// What every end brings with it, in the same transaction.
    func settle(_ job: EndedJob, _ messages: [Message] = []) throws {
        if let conversation = job.conversation {
            let conversations = Conversations(self.connection)
            for message in messages { try conversations.append(message, to: conversation, of: job.tenant) }
        }
        // A delayed job that ends before it is due has no place in its lane.
        if job.hasPlace { try self.advance(lane: job.lane) }
        if let parent = job.parent { try self.wake(parent) }
    }
}

/// What a statement that ended a job says of it.
struct EndedJob {
    static let columns = "id, tenant, lane, lane_position, conversation_id, parent_id, epoch"

    let id: JobID
    let tenant: TenantID
    let lane: String
    let hasPlace: Bool
    let conversation: ConversationID?
    let parent: JobID?
    let epoch: Int64

    init(row: any SQLRow) throws {
        self.id = JobID(rawValue: try row.requiredText(0))
        self.tenant = row.id(1) ?? .default
        self.lane = try row.requiredText(2)
        self.hasPlace = row.int(3) > 0
        self.conversation = row.id(4)
        self.parent = row.id(5)
        self.epoch = row.integer(6) ?? 0
    }
}
