package import Domain

/// A job to be accepted.
package struct NewJob: Sendable {
    package var id: JobID
    package var kind: JobKind
    package var tenant: TenantID
    package var priority: JobPriority
    /// The ordering key; nil makes the job its own lane.
    package var conversationID: ConversationID?
    package var agentID: AgentID?
    /// JSON, by kind.
    package var payload: String

    package init(
        id: JobID = JobID(),
        kind: JobKind,
        tenant: TenantID,
        priority: JobPriority = .default,
        conversationID: ConversationID? = nil,
        agentID: AgentID? = nil,
        payload: String
    ) {
        self.id = id
        self.kind = kind
        self.tenant = tenant
        self.priority = priority
        self.conversationID = conversationID
        self.agentID = agentID
        self.payload = payload
    }

    var lane: String {
        self.conversationID.map { "\(self.tenant)/\($0)" } ?? self.id.rawValue
    }
}

extension Ledger {
    /// Accepts a job: `dispatched` when its lane is idle and `hasRoom`, else `queued`.
    ///
    /// The caller commits durably before anybody hears of the job.
    package func submit(_ job: NewJob, hasRoom: Bool) throws -> JobState {
        let now = self.connection.now
        let state = try self.connection.row(
            """
            INSERT INTO jobs (id, kind, tenant, lane, lane_position, lane_head, priority, state, conversation_id,
                agent_id, payload, created_at, dispatched_at)
            SELECT $1, $2, $3, $4, COALESCE(MAX(lane_position), 0) + 1, CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END,
                $5, CASE WHEN COUNT(*) = 0 AND $6 = 1 THEN 'dispatched' ELSE 'queued' END, $7, $8, $9, $10,
                CASE WHEN COUNT(*) = 0 AND $6 = 1 THEN $10 END
            FROM jobs WHERE lane = $4 AND finished_at IS NULL
            RETURNING state
            """,
            [
                SQLValue(job.id), SQLValue(job.kind), SQLValue(job.tenant), .text(job.lane),
                SQLValue(job.priority.rawValue), SQLValue(hasRoom), SQLValue(job.conversationID),
                SQLValue(job.agentID), .text(job.payload), SQLValue(now),
            ]
        ) { try $0.value(0, as: JobState.self) }
        guard let state else { throw StoreError(.corrupt, "INSERT … RETURNING gave no row") }
        return state
    }
}
