import Domain

extension Job {
    /// The columns in the order in which `init(row:)` reads them.
    static let columns = """
        id, kind, tenant, state, priority, conversation_id, agent_id, payload, result, failure, stop_reason, \
        attempt, claims, lost, epoch, worker_id, cancel_requested_at, announced, created_at, started_at, finished_at
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
            payload: try row.requiredText(7),
            result: row.text(8),
            failure: try row.text(9).map { try JSON.decode(JobFailure.self, from: $0) },
            stopReason: row.text(10).flatMap(StopReason.init(rawValue:)),
            attempt: row.int(11),
            claims: row.int(12),
            lost: row.int(13),
            epoch: row.integer(14) ?? 0,
            workerID: row.id(15),
            cancelRequested: row.integer(16) != nil,
            announced: row.bool(17),
            createdAt: row.time(18) ?? Timestamp(milliseconds: 0),
            startedAt: row.time(19),
            finishedAt: row.time(20)
        )
    }
}
