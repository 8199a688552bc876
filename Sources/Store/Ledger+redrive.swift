package import Domain

extension Ledger {
    /// Puts a failed or dead job back with fresh counters, at the end of its lane; false when it is in another state.
    ///
    /// Its children that did not complete are put back with it: a parent that found them failed would fail again at once.
    /// What its journal has is not done again.
    package func redrive(_ id: JobID, of tenant: TenantID) throws -> Bool {
        guard let job = try self.job(id, of: tenant) else { throw StoreError(.notFound, "no job \(id)") }
        guard job.state == .failed || job.state == .dead else { return false }
        try self.putBack(id)
        for child in try self.children(of: id) where child.state.isTerminal && child.state != .completed {
            try self.putBack(child.id)
        }
        return true
    }

    private func putBack(_ id: JobID) throws {
        try self.connection.execute(
            """
            UPDATE jobs SET epoch = \(Self.nextEpoch), state = 'queued', attempt = 0, claims = 0, lost = 0,
                failures = 0, redrives = redrives + 1, result = NULL, failure = NULL, stop_reason = NULL, usage = NULL,
                cancel_requested_at = NULL, announced = 0, started_at = NULL, finished_at = NULL, worker_id = NULL,
                lane_head = CASE WHEN EXISTS (\(Self.openOfLane)) THEN 0 ELSE 1 END,
                lane_position = 1 + COALESCE((SELECT MAX(lane_position) FROM (\(Self.openOfLane)) AS open), 0)
            WHERE id = $2 AND state IN ('failed', 'dead', 'cancelled')
            """,
            [SQLValue(self.connection.now), SQLValue(id)]
        )
    }

    /// Removes an ended job and what is under it; false when it, a job under it or its parent has not ended.
    package func delete(_ id: JobID, of tenant: TenantID) throws -> Bool {
        guard let job = try self.job(id, of: tenant) else { throw StoreError(.notFound, "no job \(id)") }
        // A parent that runs again would make it anew, and do it a second time.
        if let parent = try job.parentID.flatMap({ try self.job($0) }), !parent.state.isTerminal { return false }
        let tree = try self.tree(under: id)
        guard job.state.isTerminal, tree.allSatisfy(\.state.isTerminal) else { return false }
        for id in tree.map(\.id) + [id] {
            try self.connection.execute("DELETE FROM jobs WHERE id = $1", [SQLValue(id)])
        }
        return true
    }

    /// The jobs under a job, those included that are open under one that has ended.
    private func tree(under id: JobID) throws -> [Job] {
        try self.children(of: id).flatMap { [$0] + (try self.tree(under: $0.id)) }
    }

    /// Removes jobs that ended before `cutoff`, oldest first, and forgets idempotency keys that are too old.
    ///
    /// A child stays while its parent is open: the parent is to read it. Returns how many are gone.
    package func expire(endedBefore cutoff: Timestamp, limit: Int) throws -> Int {
        try self.connection.execute(
            """
            UPDATE jobs SET idempotency_key = NULL WHERE id IN
                (SELECT id FROM jobs WHERE idempotency_key IS NOT NULL AND created_at < $1 LIMIT $2)
            """,
            [SQLValue(self.connection.now - Self.idempotencyKept), SQLValue(limit)]
        )
        return try self.connection.execute(
            """
            DELETE FROM jobs WHERE id IN (
                SELECT id FROM jobs ended WHERE finished_at IS NOT NULL AND finished_at < $1 AND announced = 1
                    AND (idempotency_key IS NULL OR created_at < $2)
                    AND NOT EXISTS (SELECT 1 FROM jobs parent
                        WHERE parent.id = ended.parent_id AND parent.finished_at IS NULL)
                ORDER BY finished_at LIMIT $3)
            """,
            [SQLValue(cutoff), SQLValue(self.connection.now - Self.idempotencyKept), SQLValue(limit)]
        )
    }
}
