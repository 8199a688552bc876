package import Domain

/// A job whose lease ran out.
package struct LostJob: Sendable, Equatable {
    package let id: JobID
    /// The new epoch, which fences its old worker out.
    package let epoch: Int64
    package let attempt: Int
    /// `queued`, or `dead` when it was lost too often.
    package let state: JobState
}

extension Ledger {
    /// Takes the jobs of workers whose heartbeat is older than `lease`: back to the head of their lane, or dead.
    package func reap(lease: Duration, lostMax: Int, limit: Int) throws -> [LostJob] {
        let now = self.connection.now
        let jobs = try self.connection.rows(
            """
            SELECT id, epoch, lane FROM jobs WHERE state = 'running' AND NOT EXISTS
                (SELECT 1 FROM workers WHERE workers.id = jobs.worker_id AND workers.heartbeat_at >= $1) LIMIT $2
            """,
            [SQLValue(now - lease), SQLValue(limit)]
        ) { (id: JobID(rawValue: try $0.requiredText(0)), epoch: $0.integer(1) ?? 0, lane: try $0.requiredText(2)) }
        let failure = try JSON.text(
            JobFailure(code: "lost", message: "The job lost its worker more than \(lostMax) times.", retryable: true)
        )
        return try jobs.compactMap { job in
            let lost = try self.connection.row(
                """
                UPDATE jobs SET epoch = \(Self.nextEpoch), lost = lost + 1, worker_id = NULL,
                    state = CASE WHEN lost >= $2 THEN 'dead' ELSE 'queued' END,
                    finished_at = CASE WHEN lost >= $2 THEN $1 END, failure = CASE WHEN lost >= $2 THEN $3 END
                WHERE id = $4 AND state = 'running' AND epoch = $5 RETURNING epoch, attempt, state
                """,
                [SQLValue(now), SQLValue(lostMax), .text(failure), SQLValue(job.id), SQLValue(job.epoch)]
            ) { row in
                LostJob(
                    id: job.id,
                    epoch: row.integer(0) ?? 0,
                    attempt: row.int(1),
                    state: try row.value(2, as: JobState.self)
                )
            }
            if lost?.state == .dead { try self.advance(lane: job.lane) }
            return lost
        }
    }

    /// The running jobs whose cancel was asked for longer than `grace` ago.
    package func overdueCancels(grace: Duration, limit: Int) throws -> [Job] {
        try self.connection.rows(
            """
            SELECT \(Job.columns) FROM jobs WHERE state = 'running' AND cancel_requested_at < $1 LIMIT $2
            """,
            [SQLValue(self.connection.now - grace), SQLValue(limit)],
            Job.init(row:)
        )
    }

    /// The ended jobs whose terminal event is not known to be in the log, `age` after their end.
    package func unannounced(olderThan age: Duration, limit: Int) throws -> [Job] {
        try self.connection.rows(
            """
            SELECT \(Job.columns) FROM jobs
            WHERE announced = 0 AND finished_at IS NOT NULL AND finished_at < $1 ORDER BY finished_at LIMIT $2
            """,
            [SQLValue(self.connection.now - age), SQLValue(limit)],
            Job.init(row:)
        )
    }

    /// Notes that the terminal event of a job is in its log.
    package func announced(_ id: JobID) throws {
        try self.connection.execute("UPDATE jobs SET announced = 1 WHERE id = $1", [SQLValue(id)])
    }
}
