package import Domain

/// One entry of the prompt.
package struct ModelMessage: Sendable, Equatable {
    /// Who speaks.
    package enum Role: String, Sendable {
        case system
        case user
        case assistant
        case tool
    }

    /// Who speaks.
    package var role: Role
    /// The text; empty for an assistant turn that only called tools.
    package var content: String
    /// What an assistant turn called, in order.
    package var toolCalls: [ToolCall]
    /// Of a `tool` message: the call it answers.
    package var toolCallID: String?
    /// What an assistant turn thought, for providers that want it back.
    package var reasoning: String?

    /// A message with its parts.
    package init(
        role: Role,
        content: String,
        toolCalls: [ToolCall] = [],
        toolCallID: String? = nil,
        reasoning: String? = nil
    ) {
        self.role = role
        self.content = content
        self.toolCalls = toolCalls
        self.toolCallID = toolCallID
        self.reasoning = reasoning
    }
}
