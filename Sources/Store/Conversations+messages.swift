package import Domain

extension Conversations {
    static let messageColumns = """
        id, role, content, category, created_at, agent_id, recipient_id, message_type, channel, reasoning, tool_calls, \
        tool_call_id, tokens, metadata
        """

    /// Appends a message.
    ///
    /// One whose id is there already is left alone: a second attempt appends the same.
    package func append(_ message: Message, to conversation: ConversationID, of tenant: TenantID) throws {
        let tokens = message.tokens > 0 ? message.tokens : Self.estimatedTokens(of: message.content)
        let metadata = message.metadata.isEmpty ? "{}" : try JSON.text(message.metadata)
        let inserted = try self.connection.execute(
            """
            INSERT INTO messages (tenant, conversation_id, position, \(Self.messageColumns))
            SELECT $1, $2, COALESCE(MAX(position), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
            FROM messages WHERE tenant = $1 AND conversation_id = $2
            ON CONFLICT (id) DO NOTHING
            """,
            [
                SQLValue(tenant), SQLValue(conversation), SQLValue(message.id), SQLValue(message.role),
                .text(message.content), SQLValue(message.category), SQLValue(message.timestamp),
                SQLValue(message.agentID), SQLValue(message.recipientID), SQLValue(message.messageType),
                SQLValue(message.channel), SQLValue(message.reasoning),
                SQLValue(try message.toolCalls.map { try JSON.text($0) }), SQLValue(message.toolCallID),
                SQLValue(tokens), .text(metadata),
            ]
        )
        guard inserted == 1 else { return }
        try self.connection.execute(
            """
            UPDATE conversations SET last_active = $1, message_count = message_count + 1,
                token_count = token_count + $2 WHERE tenant = $3 AND id = $4
            """,
            [SQLValue(message.timestamp), SQLValue(tokens), SQLValue(tenant), SQLValue(conversation)]
        )
    }

    /// The last `limit` messages that pass the filters, oldest first.
    package func messages(
        of conversation: ConversationID,
        of tenant: TenantID,
        filter: MessageFilter = MessageFilter(),
        last limit: Int
    ) throws -> [Message] {
        var condition = "tenant = $1 AND conversation_id = $2"
        var arguments = [SQLValue(tenant), SQLValue(conversation)]
        for (column, value) in filter.equalities {
            arguments.append(.text(value))
            condition += " AND \(column) = $\(arguments.count)"
        }
        if !filter.includeSystem { condition += " AND role <> 'system'" }
        arguments.append(SQLValue(limit))
        return try self.connection.rows(
            """
            SELECT \(Self.messageColumns) FROM messages WHERE \(condition)
            ORDER BY position DESC LIMIT $\(arguments.count)
            """,
            arguments,
            Message.init(row:)
        ).reversed()
    }

    /// The tenant's messages that contain all the words, best match first, with their conversations.
    package func search(
        _ words: String,
        of tenant: TenantID,
        limit: Int
    ) throws -> [(conversation: ConversationID, message: Message)] {
        let dialect = self.connection.dialect
        let term = dialect.searchTerm(words)
        guard !term.isEmpty else { return [] }
        return try self.connection.rows(
            dialect.messageSearch,
            [SQLValue(tenant), .text(term), SQLValue(limit)]
        ) { (ConversationID(rawValue: try $0.requiredText(14)), try Message(row: $0)) }
    }

    /// A guess at the tokens of a text: four bytes each.
    package static func estimatedTokens(of text: String) -> Int { (text.utf8.count + 3) / 4 }
}

/// Which messages of a conversation to show.
package struct MessageFilter: Sendable {
    package var includeSystem: Bool
    package var agentID: AgentID?
    package var channel: String?
    package var messageType: Message.Kind?

    package init(
        includeSystem: Bool = true,
        agentID: AgentID? = nil,
        channel: String? = nil,
        messageType: Message.Kind? = nil
    ) {
        self.includeSystem = includeSystem
        self.agentID = agentID
        self.channel = channel
        self.messageType = messageType
    }

    var equalities: [(column: String, value: String)] {
        [("agent_id", self.agentID?.rawValue), ("channel", self.channel), ("message_type", self.messageType?.rawValue)]
            .compactMap { column, value in value.map { (column, $0) } }
    }
}

extension Message {
    init(row: any SQLRow) throws {
        self.init(
            id: MessageID(rawValue: try row.requiredText(0)),
            role: try row.value(1, as: Role.self),
            content: try row.requiredText(2),
            category: try row.value(3, as: Category.self),
            timestamp: row.time(4) ?? Timestamp(milliseconds: 0),
            agentID: row.id(5),
            recipientID: row.text(6),
            messageType: try row.value(7, as: Kind.self),
            channel: row.text(8),
            reasoning: row.text(9),
            toolCalls: try row.text(10).map { try JSON.decode([ToolCall].self, from: $0) },
            toolCallID: row.text(11),
            tokens: row.int(12),
            metadata: try row.text(13).map { try JSON.decode([String: JSONValue].self, from: $0) } ?? [:]
        )
    }
}
