/// A tool call as the model wrote it.
public struct ToolCall: Codable, Hashable, Sendable {
    /// The provider's id for the call, or a `call_…` of ours when it gave none.
    public var id: String
    /// The tool's name, not yet checked against the tools that exist.
    public var name: String
    /// The arguments as JSON text, byte for byte as the model wrote them; may be invalid.
    public var arguments: String

    /// A call with its parts.
    public init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}
