package import Domain

extension Ledger {
    /// How many jobs are in each open state and what waits, of one tenant or of all.
    package func openFigures(of tenant: TenantID?) throws -> OpenFigures {
        var figures = OpenFigures()
        let (condition, arguments) = Self.condition(of: tenant)
        _ = try self.connection.rows(
            """
            SELECT state, priority, COUNT(*), MIN(created_at) FROM jobs
            WHERE finished_at IS NULL\(condition) GROUP BY state, priority
            """,
            arguments
        ) { row in
            let state = try row.value(0, as: JobState.self)
            let count = row.int(2)
            figures.states[state, default: 0] += count
            guard state == .queued || state == .dispatched else { return }
            figures.waiting[JobPriority(rawValue: row.int(1)) ?? .default, default: 0] += count
            guard let oldest = row.time(3) else { return }
            figures.oldestWaiting = min(figures.oldestWaiting ?? oldest, oldest)
        }
        return figures
    }

    /// How many of the jobs that are kept ended in each way, of one tenant or of all.
    ///
    /// Looks at every ended job, so it costs what is kept.
    package func endedCounts(of tenant: TenantID?) throws -> [JobState: Int] {
        let (condition, arguments) = Self.condition(of: tenant)
        let counts = try self.connection.rows(
            """
            SELECT state, COUNT(*) FROM jobs WHERE finished_at IS NOT NULL\(condition) GROUP BY tenant, state
            """,
            arguments
        ) { (try $0.value(0, as: JobState.self), $0.int(1)) }
        return Dictionary(counts, uniquingKeysWith: +)
    }

    /// How many jobs ended within `age`, of one tenant or of all.
    package func endedCount(within age: Duration, of tenant: TenantID?) throws -> Int {
        var arguments = [SQLValue(self.connection.now - age)]
        var condition = ""
        if let tenant {
            arguments.append(SQLValue(tenant))
            // No bare column, so that the index of times is taken and not the one of all that the tenant ever had.
            condition = " AND tenant || '' = $2"
        }
        return try self.connection.row(
            "SELECT COUNT(*) FROM jobs WHERE finished_at IS NOT NULL AND finished_at >= $1\(condition)",
            arguments
        ) { $0.int(0) } ?? 0
    }

    private static func condition(of tenant: TenantID?) -> (String, [SQLValue]) {
        tenant.map { (" AND tenant = $1", [SQLValue($0)]) } ?? ("", [])
    }
}

/// What is open.
package struct OpenFigures: Sendable, Equatable {
    /// Jobs by state; a state without jobs is not there.
    package var states: [JobState: Int] = [:]
    /// Jobs that wait for a worker, by priority.
    package var waiting: [JobPriority: Int] = [:]
    /// When the one of them was accepted that waits longest.
    package var oldestWaiting: Timestamp?
}
