import Domain
import HTTPTypes
import Hummingbird
import PenguinAPI

extension ChatRequest {
    private static let delaySecondsAllowed = 0...31_536_000

    /// Reads a chat message: the body of `POST /chat/message`, and a frame of `/chat/stream`.
    init(_ reader: inout FieldReader) throws(PenguinError) {
        let text = reader.requiredString("text")
        self.init(text: text)
        self.conversationID = reader.string("conversation_id") ?? reader.string("session_id")
        self.agentID = reader.string("agent_id") ?? AgentID.default.rawValue
        self.context = reader.object("context")
        self.streaming = reader.bool("streaming") ?? true
        self.maxIterations = reader.integer("max_iterations")
        self.includeReasoning = reader.bool("include_reasoning") ?? false
        self.model = reader.string("model")
        self.priority = reader.choice("priority", of: JobPriority.names, JobPriority.init(name:)) ?? .default
        self.delay = reader.seconds("delay_seconds", in: Self.delaySecondsAllowed)
        self.runAt = reader.time("run_at")
        self.idempotencyKey = reader.string("idempotency_key")
        for field in ["context_files", "image_path", "image_paths"] where reader.hasContent(field) {
            reader.refuse(field, "is not served by this version of Penguin")
        }
        try reader.check()
    }

    /// Takes the idempotency key from the request's head, if it has one; the body may only have the same.
    mutating func takeKey(from request: Request) throws(PenguinError) {
        guard let key = request.headers[.idempotencyKey] else { return }
        let problem =
            Self.problem(ofKey: key)
            ?? (self.idempotencyKey ?? key == key ? nil : "must be the same as idempotency_key, or only one given")
        if let problem {
            throw PenguinError(
                .invalid,
                "The request cannot be accepted.",
                problems: [.init(loc: ["header", "Idempotency-Key"], msg: problem, type: "value")]
            )
        }
        self.idempotencyKey = key
    }
}

extension JobPriority {
    /// What the API calls them.
    static let names = Self.allCases.map(\.name)
}

extension FieldReader {
    /// Whether the field says something: clients send empty lists for nothing.
    fileprivate func hasContent(_ name: String) -> Bool {
        switch self[name] {
        case nil, .array([]), .string(""): false
        default: true
        }
    }
}
