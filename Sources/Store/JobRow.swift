import Domain

extension Job {
    /// The columns in the order in which `init(row:)` reads them.
    static let columns = """
        id, kind, tenant, state, priority, conversation_id, agent_id, parent_id, payload, result, failure, \
        stop_reason, usage, attempt, claims, lost, failures, redrives, epoch, worker_id, cancel_requested_at, \
        announced, created_at, run_at, dispatched_at, started_at, finished_at
        """

    init(row: any SQLRow) throws {
        let priority = row.int(4)
        guard let priority = JobPriority(rawValue: priority) else {
            throw StoreError(.corrupt, "\(priority) is no priority")
        }
        self.init(
            id: JobID(rawValue: try row.requiredText(0)),
            kind: try row.value(1, as: JobKind.self),
            tenant: TenantID(rawValue: try row.requiredText(2)),
            state: try row.value(3, as: JobState.self),
            priority: priority,
            conversationID: row.id(5),
            agentID: row.id(6),
            parentID: row.id(7),
            payload: try row.requiredText(8),
            result: row.text(9),
            failure: try row.text(10).map { try JSON.decode(JobFailure.self, from: $0) },
            stopReason: row.text(11).flatMap(StopReason.init(rawValue:)),
            usage: row.text(12),
            attempt: row.int(13),
            claims: row.int(14),
            lost: row.int(15),
            failures: row.int(16),
            redrives: row.int(17),
            epoch: row.integer(18) ?? 0,
            workerID: row.id(19),
            cancelRequested: row.integer(20) != nil,
            announced: row.bool(21),
            createdAt: row.time(22) ?? Timestamp(milliseconds: 0),
            runAt: row.time(23),
            dispatchedAt: row.time(24),
            startedAt: row.time(25),
            finishedAt: row.time(26)
        )
    }
}
