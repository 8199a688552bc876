package import Domain

/// What a model says during a turn.
///
/// Order: `text` and `reasoning` as they come, then the tool calls, then `usage` if the provider told it, then exactly
/// one `finish`, which is last. A stream that ends without `finish` has thrown.
package enum ModelEvent: Sendable, Equatable {
    /// A piece of the answer; all that arrived together is one piece.
    case text(String)
    /// A piece of the reasoning.
    case reasoning(String)
    /// A complete call, assembled from its deltas.
    case toolCall(ToolCall)
    /// What the turn cost.
    case usage(TokenUsage)
    /// Why it ended.
    case finish(FinishReason)
}

/// Why a turn ended.
package enum FinishReason: Sendable, Equatable {
    /// The model had nothing more to say.
    case stop
    /// The output limit or the context window is full.
    case length
    /// The model waits for its tools.
    case toolCalls
    /// The provider withheld the rest.
    case contentFilter
    /// The provider's own word for something else.
    case other(String)

    /// The wire name, as OpenAI writes it.
    package var name: String {
        switch self {
        case .stop: "stop"
        case .length: "length"
        case .toolCalls: "tool_calls"
        case .contentFilter: "content_filter"
        case .other(let name): name
        }
    }

    /// The reason behind a wire name; `function_call` and `eos` are old names that some servers still use.
    init(wireName: String) {
        switch wireName {
        case "stop", "eos", "end_turn": self = .stop
        case "length", "max_tokens": self = .length
        case "tool_calls", "function_call": self = .toolCalls
        case "content_filter": self = .contentFilter
        default: self = .other(wireName)
        }
    }
}
