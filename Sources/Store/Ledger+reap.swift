package import Domain

/// A job whose lease ran out.
package struct LostJob: Sendable, Equatable {
    package let id: JobID
    /// The new epoch, which fences its old worker out.
    package let epoch: Int64
    package let attempt: Int
    /// `queued`, or `dead` when it was lost too often.
    package let state: JobState
    /// The job that waits for it.
    package let parent: JobID?
}

extension Ledger {
    /// Takes the jobs of workers whose heartbeat is older than `lease`: back to the head of their lane, or dead.
    ///
    /// A heartbeat that lies further in the future was made before the clock was set back, and counts for nothing: a worker
    /// that lives beats again soon.
    ///
    /// `keeping` gives the messages that the conversation keeps of jobs that die.
    package func reap(
        lease: Duration,
        lostMax: Int,
        limit: Int,
        keeping messages: [JobID: [Message]] = [:]
    ) throws -> [LostJob] {
        let now = self.connection.now
        let jobs = try self.connection.rows(
            """
            SELECT id, epoch FROM jobs WHERE state = 'running' AND NOT EXISTS
                (SELECT 1 FROM workers WHERE workers.id = jobs.worker_id AND workers.heartbeat_at BETWEEN $1 AND $2)
            LIMIT $3
            """,
            [SQLValue(now - lease), SQLValue(now + lease), SQLValue(limit)]
        ) { (id: JobID(rawValue: try $0.requiredText(0)), epoch: $0.integer(1) ?? 0) }
        let failure = try JSON.text(
            JobFailure(code: "lost", message: "The job lost its worker more than \(lostMax) times.", retryable: true)
        )
        return try jobs.compactMap { job in
            let lost = try self.connection.row(
                """
                UPDATE jobs SET epoch = \(Self.nextEpoch), lost = lost + 1, worker_id = NULL,
                    state = CASE WHEN lost >= $2 AND cancel_requested_at IS NULL THEN 'dead' ELSE 'queued' END,
                    finished_at = CASE WHEN lost >= $2 AND cancel_requested_at IS NULL THEN $1 END,
                    failure = CASE WHEN lost >= $2 AND cancel_requested_at IS NULL THEN $3 ELSE failure END
                WHERE id = $4 AND state = 'running' AND epoch = $5 RETURNING \(EndedJob.columns), attempt, state
                """,
                [SQLValue(now), SQLValue(lostMax), .text(failure), SQLValue(job.id), SQLValue(job.epoch)]
            ) { row in
                let ended = try EndedJob(row: row)
                let state = try row.value(8, as: JobState.self)
                let attempt = row.int(7)
                let lost = LostJob(
                    id: job.id,
                    epoch: ended.epoch,
                    attempt: attempt,
                    state: state,
                    parent: ended.parent
                )
                return (lost, ended)
            }
            guard let (job, ended) = lost else { return nil }
            if job.state == .dead { try self.settle(ended, messages[job.id] ?? []) }
            return job
        }
    }

    /// The jobs that the next `reap` makes dead: lost once too often.
    package func doomed(lease: Duration, lostMax: Int, limit: Int) throws -> [Job] {
        try self.connection.rows(
            """
            SELECT \(Job.columns) FROM jobs WHERE state = 'running' AND lost >= $1 AND NOT EXISTS
                (SELECT 1 FROM workers WHERE workers.id = jobs.worker_id AND workers.heartbeat_at BETWEEN $2 AND $3)
            LIMIT $4
            """,
            [
                SQLValue(lostMax), SQLValue(self.connection.now - lease), SQLValue(self.connection.now + lease),
                SQLValue(limit),
            ],
            Job.init(row:)
        )
    }

    /// The jobs that were asked to end and do not run any more: given back, put off, or lost by their worker.
    package func strayCancels(limit: Int) throws -> [Job] {
        try self.connection.rows(
            """
            SELECT \(Job.columns) FROM jobs
            WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL AND state <> 'running' LIMIT $1
            """,
            [SQLValue(limit)],
            Job.init(row:)
        )
    }

    /// The running jobs whose cancel was asked for longer than `grace` ago.
    package func overdueCancels(grace: Duration, limit: Int) throws -> [Job] {
        try self.connection.rows(
            """
            SELECT \(Job.columns) FROM jobs WHERE state = 'running'
                AND (cancel_requested_at < $1 OR cancel_requested_at > $2) LIMIT $3
            """,
            [SQLValue(self.connection.now - grace), SQLValue(self.connection.now + grace), SQLValue(limit)],
            Job.init(row:)
        )
    }

    /// The ended jobs whose terminal event is not known to be in the log, `age` after their end.
    package func unannounced(olderThan age: Duration, limit: Int) throws -> [Job] {
        try self.connection.rows(
            """
            SELECT \(Job.columns) FROM jobs
            WHERE announced = 0 AND finished_at IS NOT NULL AND (finished_at < $1 OR finished_at > $2)
            ORDER BY finished_at LIMIT $3
            """,
            [SQLValue(self.connection.now - age), SQLValue(self.connection.now + age), SQLValue(limit)],
            Job.init(row:)
        )
    }

    /// Notes that the terminal events of jobs are in their logs; nothing for a job that was put back meanwhile.
    package func announced(_ ids: [JobID]) throws {
        for id in ids {
            try self.connection.execute(
                "UPDATE jobs SET announced = 1 WHERE id = $1 AND finished_at IS NOT NULL",
                [SQLValue(id)]
            )
        }
    }
}
