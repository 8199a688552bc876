package import Domain

/// How a job ends.
package struct Ending: Sendable {
    /// A terminal state.
    package var state: JobState
    /// JSON; nil unless completed.
    package var result: String?
    /// Nil unless failed or dead.
    package var failure: JobFailure?
    package var stopReason: StopReason?
    /// What the conversation gets.
    package var messages: [Message]

    package init(
        state: JobState,
        result: String? = nil,
        failure: JobFailure? = nil,
        stopReason: StopReason? = nil,
        messages: [Message] = []
    ) {
        precondition(state.isTerminal, "\(state) is not an ending")
        self.state = state
        self.result = result
        self.failure = failure
        self.stopReason = stopReason
        self.messages = messages
    }
}

/// What a request to cancel came to.
package enum CancelResult: Sendable, Equatable {
    /// The job had ended already, in that state.
    case alreadyEnded(JobState)
    /// It had not begun: it is cancelled now, and its terminal event is to be written at this id.
    case cancelled(announceAt: EventID)
    /// It runs: its worker is to be told.
    case requested
}

extension Ledger {
    /// Ends a running job under its epoch, appends its messages and frees its lane; `.fenced` when the lease is gone.
    package func finish(_ id: JobID, epoch: Int64, _ ending: Ending) throws {
        let ended = try self.connection.row(
            """
            UPDATE jobs SET state = $1, result = $2, failure = $3, stop_reason = $4, finished_at = $5, announced = 0
            WHERE id = $6 AND state = 'running' AND epoch = $7 RETURNING lane, tenant, conversation_id
            """,
            [
                SQLValue(ending.state), SQLValue(ending.result),
                SQLValue(try ending.failure.map { try JSON.text($0) }),
                SQLValue(ending.stopReason?.rawValue), SQLValue(self.connection.now), SQLValue(id), SQLValue(epoch),
            ]
        ) { row in
            let conversation: ConversationID? = row.id(2)
            return (lane: try row.requiredText(0), tenant: row.id(1) ?? TenantID.default, conversation: conversation)
        }
        guard let ended else { throw StoreError(.fenced, "job \(id) is not ours at epoch \(epoch)") }
        if let conversation = ended.conversation {
            let conversations = Conversations(self.connection)
            for message in ending.messages { try conversations.append(message, to: conversation, of: ended.tenant) }
        }
        try self.advance(lane: ended.lane)
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

    /// Cancels a job that has not begun, or asks for the end of one that runs.
    package func cancel(_ id: JobID, of tenant: TenantID) throws -> CancelResult {
        guard let job = try self.job(id, of: tenant) else { throw StoreError(.notFound, "no job \(id)") }
        if job.state.isTerminal { return .alreadyEnded(job.state) }
        if job.state == .running {
            try self.connection.execute(
                "UPDATE jobs SET cancel_requested_at = COALESCE(cancel_requested_at, $1) WHERE id = $2",
                [SQLValue(self.connection.now), SQLValue(id)]
            )
            return .requested
        }
        return .cancelled(announceAt: try self.end(job, Ending(state: .cancelled, stopReason: .cancelled)))
    }

    /// Ends a job from outside, whatever its lease: a new epoch shuts its worker out.
    ///
    /// Returns where the terminal event goes.
    package func end(_ job: Job, _ ending: Ending) throws -> EventID {
        let ended = try self.connection.row(
            """
            UPDATE jobs SET finished_at = $1, state = $2, failure = $3, stop_reason = $4, announced = 0,
                epoch = \(Self.nextEpoch)
            WHERE id = $5 AND state = $6 AND epoch = $7 RETURNING lane, epoch
            """,
            [
                SQLValue(self.connection.now), SQLValue(ending.state),
                SQLValue(try ending.failure.map { try JSON.text($0) }), SQLValue(ending.stopReason?.rawValue),
                SQLValue(job.id), SQLValue(job.state), SQLValue(job.epoch),
            ]
        ) { (lane: try $0.requiredText(0), epoch: $0.integer(1) ?? 0) }
        guard let ended else { throw StoreError(.fenced, "job \(job.id) has moved on from \(job.state)") }
        try self.advance(lane: ended.lane)
        return EventID(epoch: ended.epoch, sequence: 0)
    }
}
