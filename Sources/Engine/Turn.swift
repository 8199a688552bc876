import Domain

/// What came of one model turn; also its entry in the journal.
struct Turn: Codable, Sendable, Equatable {
    var text = ""
    var reasoning = ""
    var toolCalls: [ToolCall] = []
    var usage = TokenUsage()
    var finish: String?

    /// Whether nothing of it has been shown or asked for.
    var isEmpty: Bool { self.text.isEmpty && self.reasoning.isEmpty && self.toolCalls.isEmpty }

    enum CodingKeys: String, CodingKey {
        case text, reasoning, usage, finish
        case toolCalls = "tool_calls"
    }
}
