/// What a `chat` job is to do: one message of a user, checked, and the ids of what it will leave behind.
///
/// Lives in the ledger's `payload` column. The ids are given when the job is submitted, so that a second attempt
/// writes the same messages.
public struct ChatPayload: Codable, Hashable, Sendable {
    /// The user's text; never blank.
    public var text: String
    /// The conversation the message belongs to.
    public var conversationID: ConversationID
    /// The agent that answers.
    public var agentID: AgentID
    /// The id of the user's message.
    public var userMessageID: MessageID
    /// The id that the answer will have.
    public var answerID: MessageID
    /// Facts for the model, put into the conversation before the message.
    public var context: [String: JSONValue]?
    /// Whether the provider is asked for a stream (default) or for one reply.
    public var streaming: Bool
    /// The most model turns, 1…1000.
    public var maxIterations: Int
    /// Whether the caller wants to see reasoning.
    public var includeReasoning: Bool
    /// The model for this message; nil is the default model.
    public var model: String?
    /// Seconds after which the run ends with what it has; nil is the configured limit.
    public var timeLimitSeconds: Int?

    /// A payload with its parts and the defaults of the API.
    public init(
        text: String,
        conversationID: ConversationID,
        agentID: AgentID = .default,
        userMessageID: MessageID = MessageID(),
        answerID: MessageID = MessageID(),
        context: [String: JSONValue]? = nil,
        streaming: Bool = true,
        maxIterations: Int = 5,
        includeReasoning: Bool = false,
        model: String? = nil,
        timeLimitSeconds: Int? = nil
    ) {
        self.text = text
        self.conversationID = conversationID
        self.agentID = agentID
        self.userMessageID = userMessageID
        self.answerID = answerID
        self.context = context
        self.streaming = streaming
        self.maxIterations = maxIterations
        self.includeReasoning = includeReasoning
        self.model = model
        self.timeLimitSeconds = timeLimitSeconds
    }

    enum CodingKeys: String, CodingKey {
        case text
        case conversationID = "conversation_id"
        case agentID = "agent_id"
        case userMessageID = "user_message_id"
        case answerID = "answer_id"
        case context, streaming
        case maxIterations = "max_iterations"
        case includeReasoning = "include_reasoning"
        case model
        case timeLimitSeconds = "time_limit"
    }
}
