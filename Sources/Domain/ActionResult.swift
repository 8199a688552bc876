/// What one tool call came to.
///
/// JSON: `{"action", "result", "status": completed|error|denied|timeout, "tool_call_id"}`.
public struct ActionResult: Codable, Hashable, Sendable {
    /// How a call ended.
    public enum Status: String, Codable, CaseIterable, Sendable {
        /// The tool ran.
        case completed
        /// The tool failed, does not exist, or was called wrongly; the result says how.
        case error
        /// Not allowed.
        case denied
        /// Took too long.
        case timeout
    }

    /// The tool's name.
    public var action: String
    /// What the model is told.
    public var result: String
    /// How it ended.
    public var status: Status
    /// The call it answers.
    public var toolCallID: String

    /// A result with its parts.
    public init(action: String, result: String, status: Status, toolCallID: String) {
        self.action = action
        self.result = result
        self.status = status
        self.toolCallID = toolCallID
    }

    enum CodingKeys: String, CodingKey {
        case action, result, status
        case toolCallID = "tool_call_id"
    }
}
