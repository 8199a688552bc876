public import Domain

/// A message to an agent, as a client sends it.
public struct ChatRequest: Sendable {
    /// The message; not blank.
    public var text: String
    /// The conversation to go on with; nil begins a new one.
    ///
    /// An unknown id that fits the pattern is made.
    public var conversationID: String?
    /// Who is to answer.
    public var agentID: String
    /// Facts for the model.
    public var context: [String: JSONValue]?
    /// Whether the provider is asked for a stream.
    public var streaming: Bool
    /// The most model turns, 1…1000; nil is the configured default.
    public var maxIterations: Int?
    /// Whether reasoning is to be shown.
    public var includeReasoning: Bool
    /// The id of the model for this message; nil is the default model.
    public var model: String?
    /// How urgent the message is.
    public var priority = JobPriority.default
    /// How long the message is to wait before it is queued, at most a year; nil, or zero, for not at all.
    public var delay: Duration?
    /// When the message is to be queued, at most a year ahead; nil for now.
    ///
    /// Not with `delay`.
    public var runAt: Timestamp?
    /// The caller's own name for the request, 1 to 255 visible ASCII characters: within 24 h the same name and request
    /// give the same job.
    public var idempotencyKey: String?

    /// A request with the defaults of the API.
    public init(
        text: String,
        conversationID: String? = nil,
        agentID: String = AgentID.default.rawValue,
        context: [String: JSONValue]? = nil,
        streaming: Bool = true,
        maxIterations: Int? = nil,
        includeReasoning: Bool = false,
        model: String? = nil
    ) {
        self.text = text
        self.conversationID = conversationID
        self.agentID = agentID
        self.context = context
        self.streaming = streaming
        self.maxIterations = maxIterations
        self.includeReasoning = includeReasoning
        self.model = model
    }
}

extension String {
    var isAgentID: Bool {
        (1...64).contains(self.utf8.count)
            && self.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 97...122, 45, 95: true
                default: false
                }
            }
    }
}
