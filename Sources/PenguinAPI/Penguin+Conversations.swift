public import Domain
import Foundation
import Store

/// A page of conversations.
public struct ConversationPage: Codable, Sendable {
    /// Most recently active first.
    public var conversations: [Conversation]
    /// How many there are in all pages.
    public var total: Int
    /// Names the next page; nil on the last.
    public var nextCursor: String?

    enum CodingKeys: String, CodingKey {
        case conversations, total
        case nextCursor = "next_cursor"
    }
}

/// A message that a search found.
public struct FoundMessage: Codable, Sendable {
    /// Where it stands.
    public var conversationID: ConversationID
    /// The message.
    public var message: Message

    enum CodingKeys: String, CodingKey {
        case conversationID = "conversation_id"
        case message
    }
}

/// Which messages of a conversation to show.
public struct HistoryFilter: Sendable {
    /// Whether system messages are shown.
    public var includeSystem = true
    /// Only messages of this agent.
    public var agentID: String?
    /// Only messages of this channel.
    public var channel: String?
    /// Only messages of this type.
    public var messageType: Message.Kind?
    /// The last so many that pass the filters, 1…1000.
    public var limit = 1000

    /// A filter that lets everything pass.
    public init() {}
}

extension Penguin {
    /// Makes a conversation.
    public func createConversation(
        title: String?,
        agentID: String = AgentID.default.rawValue,
        by tenant: TenantID = .default
    ) async throws(PenguinError) -> Conversation {
        guard agentID == AgentID.default.rawValue else {
            throw PenguinError(.notFound, "There is no agent '\(agentID)'.")
        }
        let id = ConversationID()
        let title = title ?? "New conversation"
        let conversation: Conversation?
        do {
            conversation = try await self.database.write(.durable) { connection in
                let conversations = Conversations(connection)
                try conversations.ensure(id, of: tenant, title: title, agent: AgentID(rawValue: agentID))
                return try conversations.conversation(id, of: tenant)
            }
        } catch {
            throw PenguinError(error)
        }
        guard let conversation else { throw PenguinError(.internal, "The conversation was not made.") }
        return conversation
    }

    /// A page of the tenant's conversations, most recently active first.
    public func conversations(
        limit: Int = 100,
        cursor: String? = nil,
        agentID: String? = nil,
        search: String? = nil,
        of tenant: TenantID = .default
    ) async throws(PenguinError) -> ConversationPage {
        // One more than is shown, which tells whether there is a next page.
        var query = ConversationQuery(limit: limit + 1)
        query.agentID = agentID.map(AgentID.init(rawValue:))
        query.titleContains = search
        if let cursor {
            guard let position = PageCursor(text: cursor) else {
                throw PenguinError(
                    .invalid,
                    "The cursor is not one of ours.",
                    problems: [
                        .init(loc: ["query", "cursor"], msg: "must be a next_cursor of this list", type: "value")
                    ]
                )
            }
            query.before = (position.time, ConversationID(rawValue: position.id))
        }
        let page: Page<Conversation>
        do {
            page = try await self.database.read { [query] in try Conversations($0).list(query, of: tenant) }
        } catch {
            throw PenguinError(error)
        }
        let shown = Array(page.items.prefix(limit))
        let last = page.items.count > limit ? shown.last : nil
        return ConversationPage(
            conversations: shown,
            total: page.total,
            nextCursor: last.map { PageCursor(time: $0.lastActive, id: $0.id.rawValue).text }
        )
    }

    /// A conversation of the tenant's.
    public func conversation(
        _ id: ConversationID,
        of tenant: TenantID = .default
    ) async throws(PenguinError) -> Conversation {
        let conversation: Conversation?
        do {
            conversation = try await self.database.read { try Conversations($0).conversation(id, of: tenant) }
        } catch {
            throw PenguinError(error)
        }
        guard let conversation else { throw PenguinError(.notFound, "There is no conversation '\(id)'.") }
        return conversation
    }

    /// The messages of a conversation that pass the filter, oldest first.
    public func history(
        of id: ConversationID,
        _ filter: HistoryFilter = HistoryFilter(),
        of tenant: TenantID = .default
    ) async throws(PenguinError) -> [Message] {
        _ = try await self.conversation(id, of: tenant)
        let messages = MessageFilter(
            includeSystem: filter.includeSystem,
            agentID: filter.agentID.map(AgentID.init(rawValue:)),
            channel: filter.channel,
            messageType: filter.messageType
        )
        do {
            return try await self.database.read { connection in
                try Conversations(connection).messages(of: id, of: tenant, filter: messages, last: filter.limit)
            }
        } catch {
            throw PenguinError(error)
        }
    }

    /// The tenant's messages that contain all the words, best match first.
    public func searchMessages(
        _ words: String,
        limit: Int = 20,
        of tenant: TenantID = .default
    ) async throws(PenguinError) -> [FoundMessage] {
        do {
            return try await self.database.read { connection in
                try Conversations(connection).search(words, of: tenant, limit: limit)
                    .map { FoundMessage(conversationID: $0.conversation, message: $0.message) }
            }
        } catch {
            throw PenguinError(error)
        }
    }
}

/// Where a page ended: opaque to clients, `<milliseconds>~<id>` in base64url.
private struct PageCursor {
    let time: Timestamp
    let id: String

    init(time: Timestamp, id: String) {
        self.time = time
        self.id = id
    }

    init?(text: String) {
        let base64 = text.replacing("-", with: "+").replacing("_", with: "/")
        let padded = base64 + String(repeating: "=", count: (4 - base64.count % 4) % 4)
        guard let data = Data(base64Encoded: padded) else { return nil }
        let parts = String(decoding: data, as: UTF8.self).split(separator: "~", maxSplits: 1)
        guard parts.count == 2, let milliseconds = Int64(parts[0]) else { return nil }
        self.init(time: Timestamp(milliseconds: milliseconds), id: String(parts[1]))
    }

    var text: String {
        Data("\(self.time.milliseconds)~\(self.id)".utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
