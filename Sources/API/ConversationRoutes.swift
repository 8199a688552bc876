import Domain
import HTTPTypes
import Hummingbird
import PenguinAPI

/// `/conversations…`: make, list, read, search.
struct ConversationRoutes: Sendable {
    private static let listDefault = 100
    private static let limits = 1...1000

    let penguin: Penguin
    let bodyBytesMax: Int

    func add(to routes: inout Routes) {
        routes.post("/api/v1/conversations/create", self.postCreate)
        routes.get("/api/v1/conversations", self.getList)
        routes.get("/api/v1/conversations/search", self.getSearch)
        routes.get("/api/v1/conversations/{id}", self.getConversation)
        routes.get("/api/v1/conversations/{id}/history", self.getHistory)
    }

    private func postCreate(request: Request, context: AppContext) async throws -> Response {
        var body = try await request.jsonObject(upTo: self.bodyBytesMax, isOptional: true)
        let title = body.string("title") ?? body.string("name")
        let agent = body.string("agent_id") ?? AgentID.default.rawValue
        try body.check()
        let conversation = try await self.penguin.createConversation(
            title: title,
            agentID: agent,
            by: context.tenant
        )
        return try Response.json(Created(conversation))
    }

    private func getList(request: Request, context: AppContext) async throws -> Response {
        let query = QueryReader(request: request)
        let page = try await self.penguin.conversations(
            limit: try query.integer("limit", default: Self.listDefault, in: Self.limits),
            cursor: query.string("cursor"),
            agentID: query.string("agent_id"),
            search: query.string("search"),
            of: context.tenant
        )
        return try Response.json(page)
    }

    private func getSearch(request: Request, context: AppContext) async throws -> Response {
        let query = QueryReader(request: request)
        guard let words = query.string("q"), !words.allSatisfy(\.isWhitespace) else {
            throw QueryReader.refusal("q", "must have the words to look for")
        }
        let found = try await self.penguin.searchMessages(
            words,
            limit: try query.integer("limit", default: 20, in: Self.limits),
            of: context.tenant
        )
        return try Response.json(["results": found])
    }

    private func getConversation(request: Request, context: AppContext) async throws -> Response {
        let id = try Self.id(context)
        let conversation = try await self.penguin.conversation(id, of: context.tenant)
        let messages = try await self.penguin.history(of: id, of: context.tenant)
        return try Response.json(Whole(conversation, messages))
    }

    private func getHistory(request: Request, context: AppContext) async throws -> Response {
        let query = QueryReader(request: request)
        var filter = HistoryFilter()
        filter.includeSystem = try query.bool("include_system", default: true)
        filter.agentID = query.string("agent_id")
        filter.channel = query.string("channel")
        filter.limit = try query.integer("limit", default: Self.limits.upperBound, in: Self.limits)
        if let type = query.string("message_type") {
            guard let type = Message.Kind(rawValue: type) else {
                throw QueryReader.refusal("message_type", "must be message, action or status")
            }
            filter.messageType = type
        }
        let id = try Self.id(context)
        return try Response.json(
            History(
                conversationID: id,
                messages: try await self.penguin.history(of: id, filter, of: context.tenant)
            )
        )
    }

    private static func id(_ context: AppContext) throws -> ConversationID {
        ConversationID(rawValue: try context.parameters.require("id"))
    }

    private struct Created: Encodable {
        let conversationID: ConversationID
        let title: String
        let agentID: AgentID
        let createdAt: Timestamp

        init(_ conversation: Conversation) {
            self.conversationID = conversation.id
            self.title = conversation.title
            self.agentID = conversation.agentID
            self.createdAt = conversation.createdAt
        }

        enum CodingKeys: String, CodingKey {
            case conversationID = "conversation_id"
            case title
            case agentID = "agent_id"
            case createdAt = "created_at"
        }
    }

    private struct Whole: Encodable {
        let id: ConversationID
        let title: String
        let messages: [Message]
        let createdAt: Timestamp
        let lastActive: Timestamp
        let metadata: [String: JSONValue]

        init(_ conversation: Conversation, _ messages: [Message]) {
            self.id = conversation.id
            self.title = conversation.title
            self.messages = messages
            self.createdAt = conversation.createdAt
            self.lastActive = conversation.lastActive
            self.metadata = conversation.metadata
        }

        enum CodingKeys: String, CodingKey {
            case id, title, messages
            case createdAt = "created_at"
            case lastActive = "last_active"
            case metadata
        }
    }

    private struct History: Encodable {
        let conversationID: ConversationID
        let messages: [Message]

        enum CodingKeys: String, CodingKey {
            case conversationID = "conversation_id"
            case messages
        }
    }
}
