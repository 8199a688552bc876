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

    /// Renews the lease of all jobs of a worker, and tells it what others want of it.
    ///
    /// `.notFound` when the worker's row is gone: its jobs were taken, it must register anew.
    package func beat(_ id: WorkerID, _ figures: WorkerFigures, draining: Bool) throws -> WorkerOrders {
        let mustDrain = try self.connection.row(
            """
            UPDATE workers SET heartbeat_at = $1, running = $2, draining = $3, finished = $4, run_ms = $5
            WHERE id = $6 RETURNING drain_requested
            """,
            [
                SQLValue(self.connection.now), SQLValue(figures.running), SQLValue(draining),
                SQLValue(figures.finished), SQLValue(figures.runTime.milliseconds), SQLValue(id),
            ]
        ) { $0.bool(0) }
        guard let mustDrain else { throw StoreError(.notFound, "worker \(id) is not registered") }
        let cancels = try self.connection.rows(
            "SELECT id FROM jobs WHERE state = 'running' AND worker_id = $1 AND cancel_requested_at IS NOT NULL",
            [SQLValue(id)]
        ) { JobID(rawValue: try $0.requiredText(0)) }
        return WorkerOrders(cancel: cancels, drain: mustDrain)
    }

    /// Asks a worker to take no more jobs and to end; false when there is none of that id.
    package func requestDrain(_ id: WorkerID) throws -> Bool {
        try self.connection.execute(
            "UPDATE workers SET drain_requested = 1 WHERE id = $1",
            [SQLValue(id)]
        ) == 1
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
            SELECT id, host, pid, version, slots, running, heartbeat_at, draining, drain_requested, finished, run_ms
            FROM workers
            WHERE heartbeat_at BETWEEN $1 AND $2 ORDER BY id
            """,
            [SQLValue(now - lease), SQLValue(now + lease)]
        ) { row in
            WorkerStatus(
                id: WorkerID(rawValue: try row.requiredText(0)),
                host: row.text(1) ?? "",
                pid: row.int(2),
                version: row.text(3) ?? "",
                slots: row.int(4),
                running: row.int(5),
                heartbeatAge: now - (row.time(6) ?? now),
                draining: row.bool(7) || row.bool(8),
                finished: row.int(9),
                runTime: .milliseconds(row.integer(10) ?? 0)
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
    /// Jobs that it has run since its start, however they ended.
    package let finished: Int
    /// The time for which they ran, all together.
    package let runTime: Duration
}

/// What a worker says of itself with a heartbeat.
package struct WorkerFigures: Sendable, Equatable {
    package var running: Int
    package var finished: Int
    package var runTime: Duration

    package init(running: Int, finished: Int = 0, runTime: Duration = .zero) {
        self.running = running
        self.finished = finished
        self.runTime = runTime
    }
}

/// What a worker is told in the answer to its heartbeat.
package struct WorkerOrders: Sendable, Equatable {
    /// Its jobs that somebody wants cancelled.
    package var cancel: [JobID]
    /// To take no more jobs, and to end.
    package var drain: Bool

    package init(cancel: [JobID], drain: Bool) {
        self.cancel = cancel
        self.drain = drain
    }
}
