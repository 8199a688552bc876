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
    /// Marks up to `limit` heads of lanes as dispatched, by priority, then age.
    package func dispatch(limit: Int) throws -> [Dispatch] {
        let dispatched = try self.connection.rows(
            """
            UPDATE jobs SET state = 'dispatched', dispatched_at = $1 WHERE state = 'queued' AND id IN
                (SELECT id FROM jobs WHERE state = 'queued' AND lane_head = 1
                 ORDER BY priority, created_at, id LIMIT $2)
            RETURNING id, priority, created_at
            """,
            [SQLValue(self.connection.now), SQLValue(limit)]
        ) { (dispatch: try Dispatch(row: $0), createdAt: $0.integer(2) ?? 0) }
        // RETURNING keeps no order.
        return dispatched.sorted { left, right in
            (left.dispatch.priority.rawValue, left.createdAt, left.dispatch.id)
                < (right.dispatch.priority.rawValue, right.createdAt, right.dispatch.id)
        }.map(\.dispatch)
    }

    /// The jobs dispatched longer than `age` ago and still not claimed, marked as dispatched now.
    ///
    /// A crash between commit and XADD, or a Redis that lost its streams, left them so.
    package func redispatch(olderThan age: Duration, limit: Int) throws -> [Dispatch] {
        let now = self.connection.now
        return try self.connection.rows(
            """
            UPDATE jobs SET dispatched_at = $1 WHERE state = 'dispatched' AND id IN
                (SELECT id FROM jobs WHERE state = 'dispatched' AND dispatched_at < $2 ORDER BY dispatched_at LIMIT $3)
            RETURNING id, priority
            """,
            [SQLValue(now), SQLValue(now - age), SQLValue(limit)],
            Dispatch.init(row:)
        )
    }

    /// What the dispatch window is computed from.
    package func load(heartbeatWithin lease: Duration) throws -> QueueLoad {
        let dispatched = try self.connection.row(
            "SELECT COUNT(*) FROM jobs WHERE state = 'dispatched'",
            []
        ) { $0.int(0) }
        let slots = try self.connection.row(
            "SELECT COALESCE(SUM(slots), 0) FROM workers WHERE draining = 0 AND heartbeat_at >= $1",
            [SQLValue(self.connection.now - lease)]
        ) { $0.int(0) }
        return QueueLoad(dispatched: dispatched ?? 0, slots: slots ?? 0)
    }
}

/// How much is on the streams, and how much the live workers can run.
package struct QueueLoad: Sendable, Equatable {
    package var dispatched: Int
    package var slots: Int

    package init(dispatched: Int, slots: Int) {
        self.dispatched = dispatched
        self.slots = slots
    }
}
