package import Domain

extension Ledger {
    /// How many jobs of its tenant are before a queued job; nil when it is not queued.
    ///
    /// Counts those before it in its lane and, while the head of the lane is queued itself, the heads of other lanes
    /// that come before that one. At most `limit` of each are looked at. The turns of other tenants, and those that
    /// a low priority gets out of order, are not foreseen.
    package func position(of id: JobID, countingTo limit: Int) throws -> Int? {
        let place = try self.connection.row(
            "SELECT lane, lane_position FROM jobs WHERE id = $1 AND state = 'queued'",
            [SQLValue(id)]
        ) { (lane: try $0.requiredText(0), position: $0.int(1)) }
        guard let place else { return nil }
        let inLane = try self.count(
            "lane = $1 AND finished_at IS NULL AND lane_position > 0 AND lane_position < $2",
            [.text(place.lane), SQLValue(place.position)],
            upTo: limit
        )
        return min(limit, inLane + (try self.readyBefore(headOf: place.lane, upTo: limit)))
    }

    /// The tenant's heads that are dispatched before the lane's own, if that one waits to be.
    private func readyBefore(headOf lane: String, upTo limit: Int) throws -> Int {
        let head = try self.connection.rows(
            """
            SELECT tenant, priority, created_at, id FROM jobs
            WHERE lane = $1 AND finished_at IS NULL AND lane_head = 1 AND state = 'queued'
            """,
            [.text(lane)]
        ) { [SQLValue($0.text(0)), SQLValue($0.int(1)), SQLValue($0.int(2)), SQLValue($0.text(3))] }.first
        guard let head else { return 0 }
        let moreUrgent = try self.count(
            "state = 'queued' AND lane_head = 1 AND tenant = $1 AND priority < $2",
            Array(head.prefix(2)),
            upTo: limit
        )
        let older = try self.count(
            """
            state = 'queued' AND lane_head = 1 AND tenant = $1 AND priority = $2 AND (created_at, id) < ($3, $4)
            """,
            head,
            upTo: limit
        )
        return moreUrgent + older
    }

    private func count(_ condition: String, _ arguments: [SQLValue], upTo limit: Int) throws -> Int {
        try self.connection.row(
            "SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE \(condition) LIMIT $\(arguments.count + 1)) AS before",
            arguments + [SQLValue(limit)]
        ) { $0.int(0) } ?? 0
    }
}
