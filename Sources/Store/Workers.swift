package import Domain

/// The worker processes and their heartbeats.
package struct Workers {
    let connection: any SQLConnection

    package init(_ connection: any SQLConnection) {
        self.connection = connection
    }

    /// Enters a worker, alive from now on.
    package func register(_ id: WorkerID, host: String, pid: Int, version: String, slots: Int) throws {
        let now = SQLValue(self.connection.now)
        try self.connection.execute(
            """
            INSERT INTO workers (id, host, pid, version, slots, running, started_at, heartbeat_at)
            VALUES ($1, $2, $3, $4, $5, 0, $6, $6)
            """,
            [SQLValue(id), .text(host), SQLValue(pid), .text(version), SQLValue(slots), now]
        )
    }

    /// Renews the lease of all jobs of a worker; returns those that somebody wants cancelled.
    ///
    /// `.notFound` when the worker's row is gone: its jobs were taken, it must register anew.
    package func beat(_ id: WorkerID, running: Int, draining: Bool) throws -> [JobID] {
        let changed = try self.connection.execute(
            "UPDATE workers SET heartbeat_at = $1, running = $2, draining = $3 WHERE id = $4",
            [SQLValue(self.connection.now), SQLValue(running), SQLValue(draining), SQLValue(id)]
        )
        guard changed == 1 else { throw StoreError(.notFound, "worker \(id) is not registered") }
        return try self.connection.rows(
            "SELECT id FROM jobs WHERE state = 'running' AND worker_id = $1 AND cancel_requested_at IS NOT NULL",
            [SQLValue(id)]
        ) { JobID(rawValue: try $0.requiredText(0)) }
    }

    /// Removes a worker that has ended and holds nothing.
    package func remove(_ id: WorkerID) throws {
        try self.connection.execute("DELETE FROM workers WHERE id = $1", [SQLValue(id)])
    }

    /// Removes the workers that have not beaten for `age`; their jobs are reaped long before.
    package func removeSilent(for age: Duration) throws {
        try self.connection.execute(
            "DELETE FROM workers WHERE heartbeat_at < $1",
            [SQLValue(self.connection.now - age)]
        )
    }

    /// The workers that beat within `lease`.
    package func live(within lease: Duration) throws -> [WorkerStatus] {
        let now = self.connection.now
        return try self.connection.rows(
            """
            SELECT id, host, pid, version, slots, running, heartbeat_at, draining FROM workers
            WHERE heartbeat_at >= $1 ORDER BY id
            """,
            [SQLValue(now - lease)]
        ) { row in
            WorkerStatus(
                id: WorkerID(rawValue: try row.requiredText(0)),
                host: row.text(1) ?? "",
                pid: row.int(2),
                version: row.text(3) ?? "",
                slots: row.int(4),
                running: row.int(5),
                heartbeatAge: now - (row.time(6) ?? now),
                draining: row.bool(7)
            )
        }
    }
}

/// A worker as its row tells it.
package struct WorkerStatus: Sendable, Equatable {
    package let id: WorkerID
    package let host: String
    package let pid: Int
    package let version: String
    package let slots: Int
    package let running: Int
    package let heartbeatAge: Duration
    package let draining: Bool
}
