package import Domain

/// What a request to cancel came to.
package enum CancelResult: Sendable, Equatable {
    /// The job had ended already, in that state.
    case alreadyEnded(JobState)
    /// The job, or some of its children, and what is to be told of each.
    case cancelled(CancelledTree)
}

/// The jobs that a cancel reached.
package struct CancelledTree: Sendable, Equatable {
    /// A job that ended in the cancel's transaction, and where its terminal event goes.
    package struct Ended: Sendable, Equatable {
        package let id: JobID
        package let announceAt: EventID
    }

    /// Ended now: they did not run.
    package var ended: [Ended] = []
    /// They run: their workers are to be told.
    package var requested: [JobID] = []

    package init() {}
}

extension Ledger {
    /// Cancels a job that does not run, or asks for the end of one that does; its children the same way, never its parent.
    ///
    /// `keeping` gives the messages that the conversation keeps of a job that was begun, by job.
    package func cancel(
        _ id: JobID,
        of tenant: TenantID,
        keeping messages: [JobID: [Message]] = [:]
    ) throws -> CancelResult {
        guard let job = try self.job(id, of: tenant) else { throw StoreError(.notFound, "no job \(id)") }
        if job.state.isTerminal { return .alreadyEnded(job.state) }
        var tree = CancelledTree()
        try self.cancel(job, keeping: messages, into: &tree)
        return .cancelled(tree)
    }

    private func cancel(_ job: Job, keeping messages: [JobID: [Message]], into tree: inout CancelledTree) throws {
        if job.state == .running {
            try self.connection.execute(
                """
                UPDATE jobs SET cancel_requested_at = COALESCE(cancel_requested_at, $1)
                WHERE id = $2 AND state = 'running' AND epoch = $3
                """,
                [SQLValue(self.connection.now), SQLValue(job.id), SQLValue(job.epoch)]
            )
            tree.requested.append(job.id)
        } else {
            let ending = Ending(state: .cancelled, stopReason: .cancelled, messages: messages[job.id] ?? [])
            tree.ended.append(.init(id: job.id, announceAt: try self.end(job, ending)))
        }
        for child in try self.openChildren(of: job.id) { try self.cancel(child, keeping: messages, into: &tree) }
    }

    /// A job and the children under it that have not ended.
    package func openTree(under id: JobID) throws -> [Job] {
        try self.openChildren(of: id).flatMap { [$0] + (try self.openTree(under: $0.id)) }
    }

    func openChildren(of id: JobID) throws -> [Job] {
        try self.connection.rows(
            "SELECT \(Job.columns) FROM jobs WHERE parent_id = $1 AND finished_at IS NULL",
            [SQLValue(id)],
            Job.init(row:)
        )
    }
}
