package import Domain

/// A job whose id goes on a stream.
package struct Dispatch: Sendable, Equatable {
    package let id: JobID
    package let priority: JobPriority

    package init(id: JobID, priority: JobPriority) {
        self.id = id
        self.priority = priority
    }

    init(row: any SQLRow) throws {
        self.init(
            id: JobID(rawValue: try row.requiredText(0)),
            priority: JobPriority(rawValue: row.int(1)) ?? .default
        )
    }
}

extension Ledger {
    /// The tenants that have a job to dispatch, each found by one seek in the index however long the backlog is.
    package func readyTenants() throws -> [TenantID] {
        try self.connection.rows(
            """
            WITH RECURSIVE ready (tenant) AS (
                SELECT MIN(tenant) FROM jobs WHERE state = 'queued' AND lane_head = 1
                UNION ALL
                SELECT (SELECT MIN(jobs.tenant) FROM jobs
                    WHERE jobs.state = 'queued' AND jobs.lane_head = 1 AND jobs.tenant > ready.tenant)
                FROM ready WHERE ready.tenant IS NOT NULL
            )
            SELECT tenant FROM ready WHERE tenant IS NOT NULL
            """,
            []
        ) { TenantID(rawValue: try $0.requiredText(0)) }
    }

    /// The heads of a tenant's lanes of one priority that wait to be dispatched, oldest first.
    package func ready(of tenant: TenantID, _ priority: JobPriority, limit: Int) throws -> [JobID] {
        try self.connection.rows(
            """
            SELECT id FROM jobs WHERE state = 'queued' AND lane_head = 1 AND tenant = $1 AND priority = $2
            ORDER BY created_at, id LIMIT $3
            """,
            [SQLValue(tenant), SQLValue(priority.rawValue), SQLValue(limit)]
        ) { JobID(rawValue: try $0.requiredText(0)) }
    }

    /// How many jobs of a tenant run or are about to: exact, inside a transaction that may write.
    package func active(of tenant: TenantID) throws -> Int {
        try self.connection.row(
            """
            SELECT COUNT(*) FROM jobs
            WHERE tenant = $1 AND state IN ('dispatched', 'running') AND finished_at IS NULL
            """,
            [SQLValue(tenant)]
        ) { $0.int(0) } ?? 0
    }

    /// Marks a queued head of a lane as dispatched.
    package func dispatch(_ id: JobID) throws {
        try self.connection.execute(
            """
            UPDATE jobs SET state = 'dispatched', dispatched_at = $1
            WHERE id = $2 AND state = 'queued' AND lane_head = 1
            """,
            [SQLValue(self.connection.now), SQLValue(id)]
        )
    }

    /// The jobs dispatched longer than `age` ago and still not claimed, marked as dispatched now.
    ///
    /// A crash between commit and XADD, or a Redis that lost its streams, left them so.
    package func redispatch(olderThan age: Duration, limit: Int) throws -> [Dispatch] {
        let now = self.connection.now
        // One dispatched in the future was so before the clock was set back.
        return try self.connection.rows(
            """
            UPDATE jobs SET dispatched_at = $1 WHERE state = 'dispatched' AND id IN
                (SELECT id FROM jobs WHERE state = 'dispatched' AND (dispatched_at < $2 OR dispatched_at > $3)
                 ORDER BY dispatched_at LIMIT $4)
            RETURNING id, priority
            """,
            [SQLValue(now), SQLValue(now - age), SQLValue(now + age), SQLValue(limit)],
            Dispatch.init(row:)
        )
    }

    /// Gives back dispatched jobs that a worker has read and cannot run now; they are dispatched anew.
    package func undispatch(_ ids: [JobID]) throws {
        for id in ids {
            try self.connection.execute(
                "UPDATE jobs SET state = 'queued' WHERE id = $1 AND state = 'dispatched'",
                [SQLValue(id)]
            )
        }
    }

    /// What the dispatch window is computed from.
    package func load(heartbeatWithin lease: Duration) throws -> QueueLoad {
        let dispatched = try self.connection.row(
            "SELECT COUNT(*) FROM jobs WHERE state = 'dispatched'",
            []
        ) { $0.int(0) }
        let workers = try self.connection.row(
            """
            SELECT COALESCE(SUM(slots), 0), COALESCE(SUM(running), 0) FROM workers
            WHERE draining = 0 AND heartbeat_at BETWEEN $1 AND $2
            """,
            [SQLValue(self.connection.now - lease), SQLValue(self.connection.now + lease)]
        ) { (slots: $0.int(0), running: $0.int(1)) }
        return QueueLoad(dispatched: dispatched ?? 0, slots: workers?.slots ?? 0, running: workers?.running ?? 0)
    }

    // MARK: Virtual time

    /// The virtual times of tenants that have been in competition with another.
    package func virtualTimes(of tenants: [TenantID]) throws -> [TenantID: Double] {
        var times: [TenantID: Double] = [:]
        for tenant in tenants {
            times[tenant] = try self.connection.row(
                "SELECT virtual_time FROM tenants WHERE id = $1",
                [SQLValue(tenant)]
            ) { $0.real(0) ?? 0 }
        }
        return times
    }

    package func setVirtualTimes(_ times: [TenantID: Double]) throws {
        for (tenant, time) in times {
            try self.connection.execute(
                """
                INSERT INTO tenants (id, virtual_time) VALUES ($1, $2)
                ON CONFLICT (id) DO UPDATE SET virtual_time = excluded.virtual_time
                """,
                [SQLValue(tenant), .real(time)]
            )
        }
    }

    /// The virtual clock: the start of the newest service.
    ///
    /// A newly active tenant begins there, so idling earns nothing.
    package func virtualClock() throws -> Double {
        try self.connection.row("SELECT virtual_time FROM virtual_clock", []) { $0.real(0) ?? 0 } ?? 0
    }

    package func setVirtualClock(_ time: Double) throws {
        try self.connection.execute("UPDATE virtual_clock SET virtual_time = $1", [.real(time)])
    }
}

/// How much is on the streams, and how much the live workers can run.
package struct QueueLoad: Sendable, Equatable {
    package var dispatched: Int
    package var slots: Int
    /// Slots in use, as of the last heartbeats.
    package var running: Int

    package init(dispatched: Int, slots: Int, running: Int = 0) {
        self.dispatched = dispatched
        self.slots = slots
        self.running = running
    }
}
