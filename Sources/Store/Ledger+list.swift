package import Domain

extension Ledger {
    /// A page of the tenant's jobs that pass the filter, newest first, and how many there are in all.
    ///
    /// `before` is the last job of the page before. The jobs come without payload and result, which may be large.
    package func list(
        _ filter: JobFilter,
        of tenant: TenantID,
        before: JobID? = nil,
        limit: Int
    ) throws -> Page<Job> {
        let all = JobCondition(filter, of: tenant)
        let total = try self.connection.row("SELECT COUNT(*) FROM jobs WHERE \(all.text)", all.arguments) { $0.int(0) }
        var page = all
        page.add(before: before)
        let end = page.limit(limit)
        let jobs = try self.connection.rows(
            "SELECT \(Self.summary) FROM jobs WHERE \(page.text) ORDER BY \(page.order) DESC \(end)",
            page.arguments,
            Job.init(row:)
        )
        return Page(items: jobs, total: total ?? 0)
    }

    /// The tenant's failed and dead jobs that pass the filter, oldest first, and how many there are in all.
    ///
    /// States other than these two are left out.
    package func retriable(_ filter: JobFilter, of tenant: TenantID, limit: Int) throws -> Page<JobID> {
        var filter = filter
        let states: Set<JobState> = [.failed, .dead]
        filter.states = filter.states.isEmpty ? states : filter.states.intersection(states)
        guard !filter.states.isEmpty else { return Page(items: [], total: 0) }
        var condition = JobCondition(filter, of: tenant)
        let total = try self.connection.row(
            "SELECT COUNT(*) FROM jobs WHERE \(condition.text)",
            condition.arguments
        ) { $0.int(0) }
        let end = condition.limit(limit)
        let ids = try self.connection.rows(
            "SELECT id FROM jobs WHERE \(condition.text) ORDER BY \(condition.order) \(end)",
            condition.arguments
        ) { JobID(rawValue: try $0.requiredText(0)) }
        return Page(items: ids, total: total ?? 0)
    }

    /// The children of a job in the order in which it made them, with their states; at most `limit`.
    package func childStates(of id: JobID, limit: Int) throws -> [(id: JobID, state: JobState)] {
        try self.connection.rows(
            "SELECT id, state FROM jobs WHERE parent_id = $1 ORDER BY child_step, child_index LIMIT $2",
            [SQLValue(id), SQLValue(limit)]
        ) { (id: JobID(rawValue: try $0.requiredText(0)), state: try $0.value(1, as: JobState.self)) }
    }

    /// The model turns that a job has behind it.
    package func turnsDone(of id: JobID) throws -> Int {
        try self.connection.row(
            "SELECT COUNT(*) FROM steps WHERE job_id = $1 AND kind = 'model_turn' AND state = 'done'",
            [SQLValue(id)]
        ) { $0.int(0) } ?? 0
    }

    /// The columns of a job, nothing in the place of payload and result.
    static let summary = Job.columns.replacing(" payload, result,", with: " '' AS payload, NULL AS result,")
}
