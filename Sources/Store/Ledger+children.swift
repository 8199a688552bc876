package import Domain

/// What becomes of a parent whose child ends otherwise than completed.
package enum ChildFailurePolicy: String, Sendable, CaseIterable, Codable {
    /// The other children are cancelled, and the parent fails.
    case failParent = "fail_parent"
    /// The others go on; the parent sees what became of each.
    case `continue`
}

extension Ledger {
    /// Submits the children of a step and lets their parent wait for them without a slot, all in one transaction.
    ///
    /// A child whose id is there already is left alone: a parent that runs again finds it. With every child ended the
    /// parent is `queued` at once. `.fenced` when the parent's lease is gone, `.conflict` when a child is in a lane that
    /// one of its ancestors holds: it would wait for ever.
    package func wait(
        _ parent: JobID,
        epoch: Int64,
        for children: [NewJob],
        onFailure policy: ChildFailurePolicy
    ) throws {
        let changed = try self.connection.execute(
            """
            UPDATE jobs SET state = 'waiting', worker_id = NULL, attempt = attempt - 1, child_failure = $1
            WHERE id = $2 AND state = 'running' AND epoch = $3
            """,
            [SQLValue(policy), SQLValue(parent), SQLValue(epoch)]
        )
        guard changed == 1 else { throw StoreError(.fenced, "job \(parent) is not ours at epoch \(epoch)") }
        let heldLanes = try self.lanes(above: parent)
        for child in children where try self.job(child.id) == nil {
            guard !heldLanes.contains(child.lane) else {
                throw StoreError(.conflict, "child \(child.id) would wait for its own parent in lane \(child.lane)")
            }
            _ = try self.submit(child, hasRoom: false)
        }
        try self.wake(parent)
    }

    /// The lanes that a job and those above it hold.
    private func lanes(above id: JobID) throws -> Set<String> {
        var lanes: Set<String> = []
        var next: JobID? = id
        while let id = next {
            next = nil
            try self.connection.row("SELECT lane, parent_id FROM jobs WHERE id = $1", [SQLValue(id)]) { row in
                lanes.insert(try row.requiredText(0))
                next = row.id(1)
            }
        }
        return lanes
    }

    /// The children of a job in the order in which it made them.
    package func children(of id: JobID) throws -> [Job] {
        try self.connection.rows(
            "SELECT \(Job.columns) FROM jobs WHERE parent_id = $1 ORDER BY child_step, child_index",
            [SQLValue(id)],
            Job.init(row:)
        )
    }

    /// Queues a parent that waits, once none of its children is open.
    func wake(_ parent: JobID) throws {
        try self.connection.execute(
            """
            UPDATE jobs SET state = 'queued' WHERE id = $1 AND state = 'waiting' AND NOT EXISTS
                (SELECT 1 FROM jobs child WHERE child.parent_id = $1 AND child.finished_at IS NULL)
            """,
            [SQLValue(parent)]
        )
    }

    /// The parents that wait though a child has failed and they are not to go on, with a child that is still open.
    package func failedParents(limit: Int) throws -> [JobID] {
        try self.connection.rows(
            """
            SELECT id FROM jobs parent WHERE state = 'waiting' AND child_failure = 'fail_parent'
                AND EXISTS (SELECT 1 FROM jobs child WHERE child.parent_id = parent.id
                    AND child.state IN ('failed', 'dead', 'cancelled'))
            LIMIT $1
            """,
            [SQLValue(limit)]
        ) { JobID(rawValue: try $0.requiredText(0)) }
    }

    /// Whether a job's parent waits and is to fail with it.
    package func mustFailParent(of parent: JobID) throws -> Bool {
        try self.connection.row(
            "SELECT 1 FROM jobs WHERE id = $1 AND state = 'waiting' AND child_failure = 'fail_parent'",
            [SQLValue(parent)]
        ) { _ in true } ?? false
    }

    /// Cancels what is open under a job, not the job itself.
    package func cancelChildren(of id: JobID, keeping messages: [JobID: [Message]] = [:]) throws -> CancelledTree {
        var tree = CancelledTree()
        for child in try self.openChildren(of: id) {
            guard case .cancelled(let part) = try self.cancel(child.id, of: child.tenant, keeping: messages) else {
                continue
            }
            tree.ended += part.ended
            tree.requested += part.requested
        }
        return tree
    }
}
