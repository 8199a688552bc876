/// One entry of a conversation.
///
/// The log is append-only.
///
/// JSON: the keys of `CodingKeys`; `timestamp` RFC 3339; absent values are left out.
public struct Message: Codable, Hashable, Sendable {
    /// Who speaks.
    public enum Role: String, Codable, CaseIterable, Sendable {
        /// Instructions and context.
        case system
        /// The person, or the agent in a person's place.
        case user
        /// The model.
        case assistant
        /// A tool's result.
        case tool
    }

    /// What the entry is for; decides its place in the prompt.
    public enum Category: String, Codable, CaseIterable, Sendable {
        /// Instructions; always in the prompt.
        case system = "SYSTEM"
        /// Files and facts.
        case context = "CONTEXT"
        /// What was said.
        case dialog = "DIALOG"
        /// Results of tools.
        case systemOutput = "SYSTEM_OUTPUT"
        /// What went wrong; shown, not sent to the model.
        case error = "ERROR"
        /// For ourselves.
        case `internal` = "INTERNAL"
    }

    /// What sort of entry it is, for filters.
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// Something said.
        case message
        /// A tool call or its result.
        case action
        /// A report on state.
        case status
    }

    /// The message's id.
    public var id: MessageID
    /// Who speaks.
    public var role: Role
    /// The text.
    public var content: String
    /// What it is for.
    public var category: Category
    /// When it was appended.
    public var timestamp: Timestamp
    /// The agent that speaks or is spoken to.
    public var agentID: AgentID?
    /// To whom, when not to the conversation's agent.
    public var recipientID: String?
    /// What sort of entry.
    public var messageType: Kind
    /// The channel's label, if any.
    public var channel: String?
    /// The model's reasoning behind the text.
    public var reasoning: String?
    /// The calls the model made with this message.
    public var toolCalls: [ToolCall]?
    /// The call this entry answers; only for `tool`.
    public var toolCallID: String?
    /// Estimated tokens of the text.
    public var tokens: Int
    /// Whatever else is known of it.
    public var metadata: [String: JSONValue]

    /// A message with its parts.
    public init(
        id: MessageID = MessageID(),
        role: Role,
        content: String,
        category: Category = .dialog,
        timestamp: Timestamp,
        agentID: AgentID? = nil,
        recipientID: String? = nil,
        messageType: Kind = .message,
        channel: String? = nil,
        reasoning: String? = nil,
        toolCalls: [ToolCall]? = nil,
        toolCallID: String? = nil,
        tokens: Int = 0,
        metadata: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.role = role
        self.content = content
        self.category = category
        self.timestamp = timestamp
        self.agentID = agentID
        self.recipientID = recipientID
        self.messageType = messageType
        self.channel = channel
        self.reasoning = reasoning
        self.toolCalls = toolCalls
        self.toolCallID = toolCallID
        self.tokens = tokens
        self.metadata = metadata
    }

    enum CodingKeys: String, CodingKey {
        case id, role, content, category, timestamp
        case agentID = "agent_id"
        case recipientID = "recipient_id"
        case messageType = "message_type"
        case channel, reasoning
        case toolCalls = "tool_calls"
        case toolCallID = "tool_call_id"
        case tokens, metadata
    }
}
