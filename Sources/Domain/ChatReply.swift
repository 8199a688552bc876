/// The answer to one chat message: the body of `POST /chat/message` and the data of `complete`.
public struct ChatReply: Codable, Hashable, Sendable {
    /// How the run ended, in one word.
    public enum Status: String, Codable, CaseIterable, Sendable {
        /// With an answer.
        case completed
        /// At the limit of iterations, without an answer of its own.
        case iterationsExceeded = "iterations_exceeded"
        /// At the time limit; `response` is what was there.
        case timeLimit = "time_limit"
        /// By a stop condition.
        case stopped
    }

    /// The text of the last iteration.
    public var response: String
    /// The tool calls in order.
    public var actionResults: [ActionResult]
    /// The reasoning of the last iteration; only when asked for.
    public var reasoning: String?
    /// Where the answer is kept.
    public var conversationID: ConversationID
    /// The answer's id in the conversation.
    public var messageID: MessageID
    /// The job that made it.
    public var jobID: JobID
    /// How the run ended.
    public var status: Status
    /// Why it ended.
    public var stopReason: StopReason
    /// Model turns taken.
    public var iterations: Int
    /// Tokens and cost over all iterations.
    public var usage: TokenUsage
    /// Who answered.
    public var agentID: AgentID
    /// The id of the model that answered.
    public var model: String

    /// A reply with its parts.
    public init(
        response: String,
        actionResults: [ActionResult],
        reasoning: String?,
        conversationID: ConversationID,
        messageID: MessageID,
        jobID: JobID,
        stopReason: StopReason,
        iterations: Int,
        usage: TokenUsage,
        agentID: AgentID,
        model: String
    ) {
        self.response = response
        self.actionResults = actionResults
        self.reasoning = reasoning
        self.conversationID = conversationID
        self.messageID = messageID
        self.jobID = jobID
        self.status =
            switch stopReason {
            case .finalAnswer: .completed
            case .maxIterations: .iterationsExceeded
            case .timeLimit: .timeLimit
            case .cancelled, .stalled, .childFailed, .providerError: .stopped
            }
        self.stopReason = stopReason
        self.iterations = iterations
        self.usage = usage
        self.agentID = agentID
        self.model = model
    }

    enum CodingKeys: String, CodingKey {
        case response
        case actionResults = "action_results"
        case reasoning
        case conversationID = "conversation_id"
        case messageID = "message_id"
        case jobID = "job_id"
        case status
        case stopReason = "stop_reason"
        case iterations, usage
        case agentID = "agent_id"
        case model
    }
}
