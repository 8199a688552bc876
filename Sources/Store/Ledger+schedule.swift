package import Domain

extension Ledger {
    /// Queues the scheduled jobs that are due: a delayed one at the end of its lane, a retried one where it was.
    ///
    /// Returns how many.
    package func promote(limit: Int) throws -> Int {
        let due = try self.connection.rows(
            "SELECT id FROM jobs WHERE state = 'scheduled' AND run_at <= $1 ORDER BY run_at LIMIT $2",
            [SQLValue(self.connection.now), SQLValue(limit)]
        ) { JobID(rawValue: try $0.requiredText(0)) }
        // One by one: two of a lane are not both its head.
        for id in due {
            try self.connection.execute(
                """
                UPDATE jobs SET state = 'queued', run_at = NULL,
                    lane_head = CASE WHEN lane_position > 0 THEN lane_head WHEN EXISTS (\(Self.openOfLane))
                        THEN 0 ELSE 1 END,
                    lane_position = CASE WHEN lane_position > 0 THEN lane_position
                        ELSE 1 + COALESCE((SELECT MAX(lane_position) FROM (\(Self.openOfLane)) AS open), 0) END
                WHERE id = $1 AND state = 'scheduled'
                """,
                [SQLValue(id)]
            )
        }
        return due.count
    }

    /// The jobs that have a place in the lane of `jobs`.
    static let openOfLane = """
        SELECT other.lane_position FROM jobs other
        WHERE other.lane = jobs.lane AND other.finished_at IS NULL AND other.lane_position > 0
        """

    /// When the next scheduled job is due; nil when there is none.
    package func nextDue() throws -> Timestamp? {
        try self.connection.row("SELECT MIN(run_at) FROM jobs WHERE state = 'scheduled'", []) { $0.time(0) } ?? nil
    }

    /// Puts a running job off until `time`, in its place at the lane's head; `.fenced` when the lease is gone.
    ///
    /// `failures` is the count of such faults so far; nil counts one more.
    package func retry(
        _ id: JobID,
        epoch: Int64,
        at time: Timestamp,
        after failure: JobFailure,
        failures: Int? = nil
    ) throws {
        let changed = try self.connection.execute(
            """
            UPDATE jobs SET state = 'scheduled', run_at = $1, failures = COALESCE($2, failures + 1), failure = $3,
                worker_id = NULL
            WHERE id = $4 AND state = 'running' AND epoch = $5
            """,
            [SQLValue(time), SQLValue(failures), .text(try JSON.text(failure)), SQLValue(id), SQLValue(epoch)]
        )
        guard changed == 1 else { throw StoreError(.fenced, "job \(id) is not ours at epoch \(epoch)") }
    }

    // MARK: The switch of all dispatching

    static let isPaused = "EXISTS (SELECT 1 FROM switches WHERE name = 'paused')"

    package func isPaused() throws -> Bool {
        try self.connection.row("SELECT 1 FROM switches WHERE name = 'paused'", []) { _ in true } ?? false
    }

    /// Stops or resumes dispatching, for all processes; when this is committed nothing new begins any more.
    ///
    /// What was dispatched and not claimed goes back to `queued`: its entries on the streams come to nothing.
    package func setPaused(_ isPaused: Bool) throws {
        guard isPaused else {
            try self.connection.execute("DELETE FROM switches WHERE name = 'paused'", [])
            return
        }
        try self.connection.execute("INSERT INTO switches (name) VALUES ('paused') ON CONFLICT (name) DO NOTHING", [])
        try self.connection.execute("UPDATE jobs SET state = 'queued' WHERE state = 'dispatched'", [])
    }
}
