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

extension ChatRequest {
    /// Iterations that may be asked for.
    static let iterationsAllowed = 1...1000

    /// What is wrong with the request by itself.
    func problems() -> [PenguinError.Problem] {
        var problems: [PenguinError.Problem] = []
        func refuse(_ field: String, _ message: String) {
            problems.append(PenguinError.Problem(loc: ["body", field], msg: message, type: "value"))
        }
        if self.text.allSatisfy(\.isWhitespace) { refuse("text", "must not be blank") }
        if let id = self.conversationID, ConversationID(validating: id) == nil {
            refuse("conversation_id", "must be 1 to 128 of A-Z a-z 0-9 _ . : -")
        }
        if !self.agentID.isAgentID { refuse("agent_id", "must be 1 to 64 of a-z 0-9 _ -") }
        if let iterations = self.maxIterations, !Self.iterationsAllowed.contains(iterations) {
            refuse("max_iterations", "must be from 1 to 1000")
        }
        return problems
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
