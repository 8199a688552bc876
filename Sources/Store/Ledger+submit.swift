package import Domain

/// What came of a submission.
package enum Submission: Sendable, Equatable {
    /// The job is in the ledger, in this state.
    case accepted(JobState)
    /// A request with the same key and body was accepted before, as this job.
    case replayed(JobID)
    /// The key was used for another request.
    case keyReused
    /// As many jobs of the lane are open as may be.
    case laneFull
}

extension Ledger {
    /// How long an idempotency key is remembered.
    package static let idempotencyKept = Duration.seconds(24 * 3600)

    /// Accepts a job: `scheduled` when it is due later, `dispatched` when its lane is idle and `hasRoom`, else `queued`.
    ///
    /// The caller commits durably before anybody hears of the job. `laneMax` bounds the open jobs of the lane.
    package func submit(_ job: NewJob, hasRoom: Bool, laneMax: Int = .max) throws -> Submission {
        if let earlier = try self.earlier(than: job) { return earlier }
        if let idempotency = job.idempotency { try self.forget(idempotency, of: job.tenant) }
        let state =
            job.runAt.map { $0 > self.connection.now } ?? false
            ? try self.schedule(job)
            : try self.enqueue(job, hasRoom: hasRoom, laneMax: laneMax)
        return state.map(Submission.accepted) ?? .laneFull
    }

    /// What an earlier request with the same key came to; nil when there was none, or too long ago.
    package func earlier(than job: NewJob) throws -> Submission? {
        guard let idempotency = job.idempotency else { return nil }
        let earlier = try self.connection.row(
            "SELECT id, body_hash, created_at FROM jobs WHERE tenant = $1 AND idempotency_key = $2",
            [SQLValue(job.tenant), .text(idempotency.key)]
        ) { (id: JobID(rawValue: try $0.requiredText(0)), hash: $0.text(1), createdAt: $0.integer(2) ?? 0) }
        guard let earlier, earlier.createdAt > (self.connection.now - Self.idempotencyKept).milliseconds else {
            return nil
        }
        return earlier.hash == idempotency.bodyHash ? .replayed(earlier.id) : .keyReused
    }

    /// Frees a key that was used too long ago to count.
    private func forget(_ idempotency: NewJob.Idempotency, of tenant: TenantID) throws {
        try self.connection.execute(
            "UPDATE jobs SET idempotency_key = NULL WHERE tenant = $1 AND idempotency_key = $2",
            [SQLValue(tenant), .text(idempotency.key)]
        )
    }

    /// Nil when the lane is full.
    private func enqueue(_ job: NewJob, hasRoom: Bool, laneMax: Int) throws -> JobState? {
        try self.connection.row(
            Self.insertJob,
            [
                SQLValue(job.id), SQLValue(job.kind), SQLValue(job.tenant), .text(job.lane),
                SQLValue(job.priority.rawValue), SQLValue(hasRoom), SQLValue(job.conversationID),
                SQLValue(job.agentID), .text(job.payload), SQLValue(self.connection.now),
                SQLValue(job.parent?.id), SQLValue(job.parent?.step), SQLValue(job.parent?.index),
                SQLValue(job.idempotency?.key), SQLValue(job.idempotency?.bodyHash), SQLValue(laneMax),
            ]
        ) { try $0.value(0, as: JobState.self) }
    }

    private static let insertJob = """
        INSERT INTO jobs (id, kind, tenant, lane, lane_position, lane_head, priority, state, conversation_id,
            agent_id, payload, created_at, dispatched_at, parent_id, child_step, child_index, idempotency_key,
            body_hash)
        SELECT $1, $2, $3, $4, COALESCE(MAX(lane_position), 0) + 1, CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END, $5,
            CASE WHEN COUNT(*) = 0 AND $6 = 1 AND NOT \(Self.isPaused) THEN 'dispatched' ELSE 'queued' END,
            $7, $8, $9, $10, CASE WHEN COUNT(*) = 0 AND $6 = 1 AND NOT \(Self.isPaused) THEN $10 END,
            $11, $12, $13, $14, $15
        FROM jobs WHERE lane = $4 AND finished_at IS NULL AND lane_position > 0 HAVING COUNT(*) < $16
        RETURNING state
        """

    /// A delayed job has no place in its lane until it is due.
    private func schedule(_ job: NewJob) throws -> JobState {
        try self.connection.execute(
            """
            INSERT INTO jobs (id, kind, tenant, lane, lane_position, lane_head, priority, state, conversation_id,
                agent_id, payload, created_at, run_at, parent_id, child_step, child_index, idempotency_key, body_hash)
            VALUES ($1, $2, $3, $4, 0, 0, $5, 'scheduled', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            """,
            [
                SQLValue(job.id), SQLValue(job.kind), SQLValue(job.tenant), .text(job.lane),
                SQLValue(job.priority.rawValue), SQLValue(job.conversationID), SQLValue(job.agentID),
                .text(job.payload), SQLValue(self.connection.now), SQLValue(job.runAt),
                SQLValue(job.parent?.id), SQLValue(job.parent?.step), SQLValue(job.parent?.index),
                SQLValue(job.idempotency?.key), SQLValue(job.idempotency?.bodyHash),
            ]
        )
        return .scheduled
    }
}
