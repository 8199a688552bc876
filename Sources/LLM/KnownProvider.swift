import Domain

/// A provider that needs no entry in the configuration: its place, its variables and a sensible model.
struct KnownProvider: Sendable {
    let name: String
    let wireFormat: ModelConfiguration.WireFormat
    let defaultBase: String
    let baseVariable: String
    /// Nil for a server that takes no key.
    let keyVariable: String?
    /// The model taken when only the key is given; nil: none can be guessed.
    let sensibleModel: String?
    let contextWindow: Int

    /// In the order in which a key makes a provider the default one.
    static let all = [
        // `openrouter/auto` leaves the choice to OpenRouter and never goes out of date.
        KnownProvider(
            name: "openrouter",
            wireFormat: .openAI,
            defaultBase: "https://openrouter.ai/api/v1",
            baseVariable: "OPENROUTER_BASE_URL",
            keyVariable: "OPENROUTER_API_KEY",
            sensibleModel: "openrouter/auto",
            contextWindow: 128_000
        ),
        KnownProvider(
            name: "openai",
            wireFormat: .openAI,
            defaultBase: "https://api.openai.com/v1",
            baseVariable: "OPENAI_BASE_URL",
            keyVariable: "OPENAI_API_KEY",
            sensibleModel: "gpt-5-mini",
            contextWindow: 400_000
        ),
        KnownProvider(
            name: "anthropic",
            wireFormat: .anthropic,
            defaultBase: "https://api.anthropic.com",
            baseVariable: "ANTHROPIC_BASE_URL",
            keyVariable: "ANTHROPIC_API_KEY",
            sensibleModel: "claude-sonnet-4-5",
            contextWindow: 200_000
        ),
        KnownProvider(
            name: "ollama",
            wireFormat: .openAI,
            defaultBase: "http://localhost:11434/v1",
            baseVariable: "OLLAMA_BASE_URL",
            keyVariable: nil,
            sensibleModel: nil,
            contextWindow: 128_000
        ),
    ]

    static func named(_ name: some StringProtocol) -> KnownProvider? {
        self.all.first { $0.name == name }
    }

    func hasKey(in keys: ProviderKeys) -> Bool {
        self.keyVariable.flatMap(keys.value(of:)) != nil
    }

    /// Whether `provider/model` may go there: with a key, with a base URL of its own, or without need of either.
    func isReachable(with keys: ProviderKeys) -> Bool {
        self.keyVariable == nil || self.hasKey(in: keys) || keys.value(of: self.baseVariable) != nil
    }

    /// The base URL, without a slash at its end.
    func base(in keys: ProviderKeys) -> String {
        var base = keys.value(of: self.baseVariable) ?? self.defaultBase
        while base.hasSuffix("/") { base.removeLast() }
        return base
    }

    /// The configuration of one of its models.
    func configuration(id: String, model: String, keys: ProviderKeys) -> ModelConfiguration {
        // Without a key but with a base URL of its own the server is taken to need none.
        let needsKey = self.hasKey(in: keys) || keys.value(of: self.baseVariable) == nil
        return ModelConfiguration(
            id: id,
            model: model,
            provider: self.name,
            wireFormat: self.wireFormat,
            apiBase: self.base(in: keys),
            apiKeyVariable: needsKey ? self.keyVariable : nil,
            contextWindow: self.contextWindow
        )
    }
}
