package import Domain

extension Ledger {
    /// How many jobs of each tenant were accepted and wait for a worker.
    ///
    /// Reads one index entry for each open job.
    package func waitingCounts() throws -> [TenantID: Int] {
        let counts = try self.connection.rows(
            """
            SELECT tenant, COUNT(*) FROM jobs
            WHERE finished_at IS NULL AND state IN ('scheduled', 'queued', 'dispatched') GROUP BY tenant
            """,
            []
        ) { (TenantID(rawValue: try $0.requiredText(0)), $0.int(1)) }
        return Dictionary(uniqueKeysWithValues: counts)
    }

    /// How many jobs are in each open state, by kind.
    ///
    /// Reads one index entry for each open job.
    package func openCounts() throws -> [OpenCount] {
        try self.connection.rows(
            "SELECT kind, state, COUNT(*) FROM jobs WHERE finished_at IS NULL GROUP BY tenant, state, kind",
            []
        ) { row in
            OpenCount(kind: row.text(0) ?? "", state: try row.value(1, as: JobState.self), jobs: row.int(2))
        }
    }
}

/// Jobs of one tenant that are of a kind and in a state.
package struct OpenCount: Sendable, Equatable {
    package let kind: String
    package let state: JobState
    package let jobs: Int
}
