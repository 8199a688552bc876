/// One entry of a run's journal: a model turn or a tool call, so that a second attempt repeats nothing that is done.
public struct Step: Codable, Hashable, Sendable {
    /// What the step was.
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// The model was asked.
        case modelTurn = "model_turn"
        /// A tool was called.
        case toolCall = "tool_call"
    }

    /// How far the step came.
    public enum State: String, Codable, CaseIterable, Sendable {
        /// Announced, outcome not known.
        case intent
        /// Done; `result` counts.
        case done
        /// Failed; `result` says how.
        case failed
        /// A crash left it open and it may not be run again.
        case unknown
    }

    /// The step's number in the job, from 0; unique.
    public var index: Int
    /// What it was.
    public var kind: Kind
    /// How far it came.
    public var state: State
    /// What was asked: the call as the model wrote it, or nil for a model turn.
    public var call: ToolCall?
    /// What came of it: JSON, by kind.
    public var result: String?
    /// What a model turn cost.
    public var usage: TokenUsage?
    /// The last event that this step accounts for; a later attempt truncates to it.
    public var covers: EventID

    /// A step with its parts.
    public init(
        index: Int,
        kind: Kind,
        state: State,
        call: ToolCall? = nil,
        result: String?,
        usage: TokenUsage?,
        covers: EventID
    ) {
        self.index = index
        self.kind = kind
        self.state = state
        self.call = call
        self.result = result
        self.usage = usage
        self.covers = covers
    }
}
