public import Domain

/// A job as the API shows it.
public struct JobView: Codable, Hashable, Sendable {
    /// A job that this one waits or waited for.
    public struct Child: Codable, Hashable, Sendable {
        /// Its id.
        public var jobID: JobID
        /// Where it is in its life.
        public var state: JobState

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case state
        }
    }

    /// How far a run has come.
    public struct Progress: Codable, Hashable, Sendable {
        /// The iteration that is under way, from 1.
        public var iteration: Int
        /// The most there can be.
        public var maxIterations: Int

        enum CodingKeys: String, CodingKey {
            case iteration
            case maxIterations = "max_iterations"
        }
    }

    /// Where to look further.
    public struct Links: Codable, Hashable, Sendable {
        /// The job.
        public var `self`: String
        /// Its events (SSE).
        public var events: String
        /// To end it.
        public var cancel: String
        /// To have it done once more.
        public var retry: String
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
    /// The job that waits for it.
    public var parentID: JobID?
    /// The jobs it waits or waited for, in their order, at most 1000; absent in lists.
    public var children: [Child]?
    /// Executions so far.
    public var attempt: Int
    /// Leases that ran out.
    public var lost: Int
    /// How often it was put off for a fault of the infrastructure.
    public var failures: Int
    /// How often somebody had it done once more.
    public var redrives: Int
    /// When it was accepted.
    public var createdAt: Timestamp
    /// When it is due; only while it is `scheduled`.
    public var runAt: Timestamp?
    /// When its newest attempt began.
    public var startedAt: Timestamp?
    /// When it ended.
    public var finishedAt: Timestamp?
    /// How many jobs of its owner are before it, counted to 10,000; only while it is `queued`, absent in lists.
    public var position: Int?
    /// How far its run has come; only while it is `running`, absent in lists.
    public var progress: Progress?
    /// Whether its end was asked for.
    public var cancelRequested: Bool
    /// What came of it; for a chat the body of `POST /chat/message`; absent in lists.
    public var result: JSONValue?
    /// Why it failed, or was put off.
    public var error: JobFailure?
    /// Why its run ended.
    public var stopReason: StopReason?
    /// What it cost; absent until it has ended.
    public var usage: JSONValue?
    /// Where to look further.
    public var links: Links

    /// The view of a job's row.
    public init(_ job: Job) {
        let path = "/api/v1/jobs/\(job.id)"
        self.jobID = job.id
        self.kind = job.kind
        self.state = job.state
        self.priority = job.priority.name
        self.conversationID = job.conversationID
        self.agentID = job.agentID
        self.parentID = job.parentID
        self.attempt = job.attempt
        self.lost = job.lost
        self.failures = job.failures
        self.redrives = job.redrives
        self.createdAt = job.createdAt
        self.runAt = job.runAt
        self.startedAt = job.startedAt
        self.finishedAt = job.finishedAt
        self.cancelRequested = job.cancelRequested
        self.result = Self.value(job.result)
        self.error = job.failure
        self.stopReason = job.stopReason
        self.usage = Self.value(job.usage) ?? self.result?["usage"]
        self.links = Links(self: path, events: path + "/events", cancel: path + "/cancel", retry: path + "/retry")
    }

    private static func value(_ json: String?) -> JSONValue? {
        json.flatMap { try? JSON.decode(JSONValue.self, from: $0) }
    }

    enum CodingKeys: String, CodingKey {
        case jobID = "job_id"
        case kind, state, priority
        case conversationID = "conversation_id"
        case agentID = "agent_id"
        case parentID = "parent_id"
        case children, attempt, lost, failures, redrives
        case createdAt = "created_at"
        case runAt = "run_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case position, progress
        case cancelRequested = "cancel_requested"
        case result, error
        case stopReason = "stop_reason"
        case usage, links
    }
}
