public import Domain

/// A job as the API shows it.
public struct JobView: Codable, Hashable, Sendable {
    /// Where to look further.
    public struct Links: Codable, Hashable, Sendable {
        /// The job.
        public var `self`: String
        /// Its events (SSE).
        public var events: String
        /// To end it.
        public var cancel: String
    }

    /// The job's id.
    public var jobID: JobID
    /// What it does.
    public var kind: JobKind
    /// Where it is in its life.
    public var state: JobState
    /// `high`, `default` or `low`.
    public var priority: String
    /// Its conversation.
    public var conversationID: ConversationID?
    /// Its agent.
    public var agentID: AgentID?
    /// Executions so far.
    public var attempt: Int
    /// Leases that ran out.
    public var lost: Int
    /// When it was accepted.
    public var createdAt: Timestamp
    /// When its newest attempt began.
    public var startedAt: Timestamp?
    /// When it ended.
    public var finishedAt: Timestamp?
    /// Whether its end was asked for.
    public var cancelRequested: Bool
    /// What came of it; for a chat the body of `POST /chat/message`.
    public var result: JSONValue?
    /// Why it failed.
    public var error: JobFailure?
    /// Why its run ended.
    public var stopReason: StopReason?
    /// What it cost; absent until it has completed.
    public var usage: JSONValue?
    /// Where to look further.
    public var links: Links

    /// The view of a job.
    public init(_ job: Job) {
        let path = "/api/v1/jobs/\(job.id)"
        self.jobID = job.id
        self.kind = job.kind
        self.state = job.state
        self.priority = job.priority.name
        self.conversationID = job.conversationID
        self.agentID = job.agentID
        self.attempt = job.attempt
        self.lost = job.lost
        self.createdAt = job.createdAt
        self.startedAt = job.startedAt
        self.finishedAt = job.finishedAt
        self.cancelRequested = job.cancelRequested
        self.result = job.result.flatMap { try? JSON.decode(JSONValue.self, from: $0) }
        self.error = job.failure
        self.stopReason = job.stopReason
        self.usage = self.result?["usage"]
        self.links = Links(self: path, events: path + "/events", cancel: path + "/cancel")
    }

    enum CodingKeys: String, CodingKey {
        case jobID = "job_id"
        case kind, state, priority
        case conversationID = "conversation_id"
        case agentID = "agent_id"
        case attempt, lost
        case createdAt = "created_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case cancelRequested = "cancel_requested"
        case result, error
        case stopReason = "stop_reason"
        case usage, links
    }
}
