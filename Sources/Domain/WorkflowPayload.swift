/// What a `workflow` job is to do: messages to agents, all at once, each in a conversation of its own.
public struct WorkflowPayload: Codable, Hashable, Sendable {
    /// The messages, in the order of their results.
    public var messages: [ChatPayload]
    /// Whether the others go on when one fails; else they are cancelled and the workflow fails.
    public var continuesOnFailure: Bool

    /// A payload with its parts.
    public init(messages: [ChatPayload], continuesOnFailure: Bool = false) {
        self.messages = messages
        self.continuesOnFailure = continuesOnFailure
    }

    enum CodingKeys: String, CodingKey {
        case messages
        case continuesOnFailure = "continue_on_failure"
    }
}

/// What came of a workflow.
public struct WorkflowReply: Codable, Hashable, Sendable {
    /// What came of one of its messages.
    public struct ChildResult: Codable, Hashable, Sendable {
        /// The child.
        public var jobID: JobID
        /// How it ended.
        public var status: JobState
        /// Who answered.
        public var agentID: AgentID?
        /// The answer; nil unless it completed.
        public var response: String?
        /// Why it did not.
        public var error: JobFailure?

        /// What an ended child came to.
        public init(_ child: Job) {
            self.jobID = child.id
            self.status = child.state
            self.agentID = child.agentID
            self.response = child.result
                .flatMap { try? JSON.decode(ChatReply.self, from: $0) }
                .map(\.response)
            self.error = child.failure
        }

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case status
            case agentID = "agent_id"
            case response, error
        }
    }

    /// The workflow.
    public var jobID: JobID
    /// One for each message, in their order.
    public var results: [ChildResult]

    /// A reply with its parts.
    public init(jobID: JobID, results: [ChildResult]) {
        self.jobID = jobID
        self.results = results
    }

    enum CodingKeys: String, CodingKey {
        case jobID = "job_id"
        case results
    }
}
