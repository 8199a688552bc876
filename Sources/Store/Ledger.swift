package import Domain

/// The jobs' rows: the truth about every job.
///
/// Every transition is one statement, conditional on state and epoch. No row changed means that somebody else owns the
/// job: `.fenced`. The functions run inside a transaction of the caller's, so that a transition and what belongs to it
/// (messages, the next job of the lane) are one commit.
package struct Ledger {
    let connection: any SQLConnection

    package init(_ connection: any SQLConnection) {
        self.connection = connection
    }

    /// The database's clock.
    package var now: Timestamp { self.connection.now }

    /// The job; nil when there is none, or when it is not `tenant`'s (nil: anybody's).
    package func job(_ id: JobID, of tenant: TenantID? = nil) throws -> Job? {
        let job = try self.connection.row(
            "SELECT \(Job.columns) FROM jobs WHERE id = $1",
            [SQLValue(id)],
            Job.init(row:)
        )
        guard let tenant else { return job }
        return job?.tenant == tenant ? job : nil
    }

    /// Makes the next open job of a lane its head, once the one before it has ended; a delayed one has no place yet.
    func advance(lane: String) throws {
        try self.connection.execute(
            """
            UPDATE jobs SET lane_head = 1 WHERE lane_head = 0 AND id =
                (SELECT id FROM jobs WHERE lane = $1 AND finished_at IS NULL AND lane_position > 0
                ORDER BY lane_position LIMIT 1)
            """,
            [.text(lane)]
        )
    }

    /// The epoch after `epoch`: time-seeded, so that none is handed out twice even after lost writes.
    static let nextEpoch = "CASE WHEN epoch >= $1 THEN epoch + 1 ELSE $1 END"
}
