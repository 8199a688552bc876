package import Domain

/// Conversations and their messages: an append-only log for each.
package struct Conversations {
    let connection: any SQLConnection

    package init(_ connection: any SQLConnection) {
        self.connection = connection
    }

    private static let columns =
        "id, title, agent_id, created_at, last_active, message_count, token_count, metadata"

    /// Makes the conversation unless it exists.
    package func ensure(_ id: ConversationID, of tenant: TenantID, title: String, agent: AgentID) throws {
        try self.connection.execute(
            """
            INSERT INTO conversations (tenant, id, title, agent_id, created_at, last_active)
            VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (tenant, id) DO NOTHING
            """,
            [SQLValue(tenant), SQLValue(id), .text(title), SQLValue(agent), SQLValue(self.connection.now)]
        )
    }

    /// The conversation; nil when the tenant has none of that id.
    package func conversation(_ id: ConversationID, of tenant: TenantID) throws -> Conversation? {
        try self.connection.row(
            "SELECT \(Self.columns) FROM conversations WHERE tenant = $1 AND id = $2",
            [SQLValue(tenant), SQLValue(id)],
            Conversation.init(row:)
        )
    }

    /// A page of the tenant's conversations, most recently active first, and how many there are in all.
    package func list(_ query: ConversationQuery, of tenant: TenantID) throws -> Page<Conversation> {
        var condition = "tenant = $1"
        var arguments = [SQLValue(tenant)]
        if let agent = query.agentID {
            arguments.append(SQLValue(agent))
            condition += " AND agent_id = $\(arguments.count)"
        }
        if let text = query.titleContains {
            // Both sides are folded by the database: its LOWER and Swift's differ beyond ASCII.
            arguments.append(.text("%" + text.escapedForLike + "%"))
            condition += " AND LOWER(title) LIKE LOWER($\(arguments.count)) ESCAPE '\\'"
        }
        let total = try self.connection.row(
            "SELECT COUNT(*) FROM conversations WHERE \(condition)",
            arguments
        ) { $0.int(0) }
        if let (time, id) = query.before {
            arguments += [SQLValue(time), SQLValue(id)]
            condition += " AND (last_active, id) < ($\(arguments.count - 1), $\(arguments.count))"
        }
        arguments.append(SQLValue(query.limit))
        let conversations = try self.connection.rows(
            """
            SELECT \(Self.columns) FROM conversations WHERE \(condition)
            ORDER BY last_active DESC, id DESC LIMIT $\(arguments.count)
            """,
            arguments,
            Conversation.init(row:)
        )
        return Page(items: conversations, total: total ?? 0)
    }
}

/// Which conversations to list.
package struct ConversationQuery: Sendable {
    package var limit: Int
    /// Where the page before ended.
    package var before: (lastActive: Timestamp, id: ConversationID)?
    package var agentID: AgentID?
    package var titleContains: String?

    package init(
        limit: Int,
        before: (lastActive: Timestamp, id: ConversationID)? = nil,
        agentID: AgentID? = nil,
        titleContains: String? = nil
    ) {
        self.limit = limit
        self.before = before
        self.agentID = agentID
        self.titleContains = titleContains
    }
}

/// Some of a list, and how long it is.
package struct Page<Item: Sendable>: Sendable {
    package let items: [Item]
    package let total: Int
}

extension String {
    fileprivate var escapedForLike: String {
        self.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
    }
}

extension Conversation {
    init(row: any SQLRow) throws {
        self.init(
            id: ConversationID(rawValue: try row.requiredText(0)),
            title: row.text(1) ?? "",
            agentID: row.id(2) ?? .default,
            createdAt: row.time(3) ?? Timestamp(milliseconds: 0),
            lastActive: row.time(4) ?? Timestamp(milliseconds: 0),
            messageCount: row.int(5),
            tokenCount: row.int(6),
            metadata: try row.text(7).map { try JSON.decode([String: JSONValue].self, from: $0) } ?? [:]
        )
    }
}
