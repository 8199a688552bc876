/// What one or more model turns cost, as the provider reported it.
///
/// JSON: `prompt_tokens`, `completion_tokens`, `reasoning_tokens`, `cached_tokens`, `cost` (US dollars, absent when
/// nobody named a price). Sums over all iterations of a run.
public struct TokenUsage: Codable, Hashable, Sendable {
    /// Tokens of the prompts, cached ones included.
    public var promptTokens: Int
    /// Tokens the model wrote, reasoning included.
    public var completionTokens: Int
    /// The part of `completionTokens` that was reasoning.
    public var reasoningTokens: Int
    /// The part of `promptTokens` the provider had cached.
    public var cachedTokens: Int
    /// US dollars; nil until some turn has a price.
    public var cost: Double?

    /// A usage with the given counts, zero by default.
    public init(
        promptTokens: Int = 0,
        completionTokens: Int = 0,
        reasoningTokens: Int = 0,
        cachedTokens: Int = 0,
        cost: Double? = nil
    ) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.reasoningTokens = reasoningTokens
        self.cachedTokens = cachedTokens
        self.cost = cost
    }

    /// Adds another turn's usage.
    public static func += (sum: inout TokenUsage, turn: TokenUsage) {
        sum.promptTokens += turn.promptTokens
        sum.completionTokens += turn.completionTokens
        sum.reasoningTokens += turn.reasoningTokens
        sum.cachedTokens += turn.cachedTokens
        if let cost = turn.cost { sum.cost = (sum.cost ?? 0) + cost }
    }

    enum CodingKeys: String, CodingKey {
        case promptTokens = "prompt_tokens"
        case completionTokens = "completion_tokens"
        case reasoningTokens = "reasoning_tokens"
        case cachedTokens = "cached_tokens"
        case cost
    }
}
