import Foundation

/// A chat completion request as the fake provider got it.
package struct FakeProviderRequest: Sendable {
    /// One message of the prompt.
    package struct Message: Sendable, Codable, Equatable {
        package var role: String
        package var content: String

        package init(role: String, content: String) {
            self.role = role
            self.content = content
        }
    }

    /// Header names in lower case.
    package var headers: [String: String] = [:]
    /// The body as text, its first 64 KiB.
    package var body = ""
    package var model = ""
    package var messages: [Message] = []
    package var toolNames: [String] = []
    package var stream = false
    /// `stream_options.include_usage`.
    package var includeUsage = false
    package var maxTokens: Int?
    package var temperature: Double?

    private static let bodyCharactersMax = 64 * 1024

    package init() {}

    /// Nil for a body that is no such request.
    init?(headers: [String: String], body: [UInt8]) {
        guard let wire = try? JSONDecoder().decode(Wire.self, from: Data(body)) else { return nil }
        self.headers = headers
        self.body = String(decoding: body.prefix(Self.bodyCharactersMax), as: UTF8.self)
        self.model = wire.model
        self.messages = wire.messages.map { Message(role: $0.role, content: $0.content?.text ?? "") }
        self.toolNames = (wire.tools ?? []).map(\.function.name)
        self.stream = wire.stream ?? false
        self.includeUsage = wire.stream_options?.include_usage ?? false
        self.maxTokens = wire.max_completion_tokens ?? wire.max_tokens
        self.temperature = wire.temperature
    }

    /// The text the directives are in.
    package var lastUserMessage: String {
        self.messages.last { $0.role == "user" }?.content ?? ""
    }

    /// The user message before the last one, and what follows it up to the last one.
    var beforeLastUserMessage: [Message] {
        guard let last = self.messages.lastIndex(where: { $0.role == "user" }) else { return [] }
        let earlier = self.messages[..<last]
        guard let first = earlier.lastIndex(where: { $0.role == "user" }) else { return [] }
        return Array(earlier[first...])
    }

    /// How many assistant turns with answered tool calls follow the last user message.
    var turnsSinceUser: Int {
        let start = self.messages.lastIndex { $0.role == "user" } ?? 0
        return self.messages[min(start, self.messages.count)...].filter { $0.role == "assistant" }.count
    }
}

/// The members of the wire format that matter here.
private struct Wire: Decodable {
    struct Message: Decodable {
        var role: String
        var content: Content?
    }

    /// A text, or a list of parts of which the texts count.
    struct Content: Decodable {
        struct Part: Decodable {
            var text: String?
        }

        var text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self.text = text
            } else {
                self.text = try container.decode([Part].self).compactMap(\.text).joined()
            }
        }
    }

    struct Tool: Decodable {
        struct Function: Decodable {
            var name: String
        }

        var function: Function
    }

    struct StreamOptions: Decodable {
        var include_usage: Bool?
    }

    var model: String
    var messages: [Message]
    var tools: [Tool]?
    var stream: Bool?
    var stream_options: StreamOptions?
    var max_tokens: Int?
    var max_completion_tokens: Int?
    var temperature: Double?
}
