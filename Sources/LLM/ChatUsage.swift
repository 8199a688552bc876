import Domain

extension ChatChunk {
    /// The `usage` member in its dialects.
    struct Usage: Decodable {
        struct PromptDetails: Decodable {
            var cached_tokens: Int?
        }

        struct CompletionDetails: Decodable {
            var reasoning_tokens: Int?
        }

        var prompt_tokens: Int?
        var completion_tokens: Int?
        var prompt_tokens_details: PromptDetails?
        var completion_tokens_details: CompletionDetails?
        /// DeepSeek's word for the cached tokens.
        var prompt_cache_hit_tokens: Int?
        /// US dollars; OpenRouter.
        var cost: Double?

        /// In our words; without a reported cost the model's prices make one.
        func inDomain(of model: ModelConfiguration) -> TokenUsage {
            var usage = TokenUsage(
                promptTokens: max(0, self.prompt_tokens ?? 0),
                completionTokens: max(0, self.completion_tokens ?? 0),
                reasoningTokens: max(0, self.completion_tokens_details?.reasoning_tokens ?? 0),
                cachedTokens: max(0, self.prompt_tokens_details?.cached_tokens ?? self.prompt_cache_hit_tokens ?? 0),
                cost: self.cost
            )
            if usage.cost == nil, model.promptPrice != nil || model.completionPrice != nil {
                let prompt = Double(usage.promptTokens) * (model.promptPrice ?? 0)
                usage.cost = (prompt + Double(usage.completionTokens) * (model.completionPrice ?? 0)) / 1_000_000
            }
            return usage
        }
    }
}
