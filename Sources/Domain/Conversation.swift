/// A thread of messages, as it stands in lists.
///
/// JSON: the keys of `CodingKeys`; times RFC 3339.
public struct Conversation: Codable, Hashable, Sendable {
    /// The conversation's id, unique within its tenant.
    public var id: ConversationID
    /// What people call it: given at creation, or the start of its first message.
    public var title: String
    /// The agent that answers in it.
    public var agentID: AgentID
    /// When it was made.
    public var createdAt: Timestamp
    /// When the last message was appended.
    public var lastActive: Timestamp
    /// How many messages it has.
    public var messageCount: Int
    /// Estimated tokens of all its messages.
    public var tokenCount: Int
    /// Whatever else is known of it.
    public var metadata: [String: JSONValue]

    /// A conversation with its parts.
    public init(
        id: ConversationID,
        title: String,
        agentID: AgentID,
        createdAt: Timestamp,
        lastActive: Timestamp,
        messageCount: Int,
        tokenCount: Int,
        metadata: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.title = title
        self.agentID = agentID
        self.createdAt = createdAt
        self.lastActive = lastActive
        self.messageCount = messageCount
        self.tokenCount = tokenCount
        self.metadata = metadata
    }

    enum CodingKeys: String, CodingKey {
        case id, title
        case agentID = "agent_id"
        case createdAt = "created_at"
        case lastActive = "last_active"
        case messageCount = "message_count"
        case tokenCount = "token_count"
        case metadata
    }
}
