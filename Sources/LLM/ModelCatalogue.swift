package import Domain

/// The models that can be asked, and the one that is asked when nobody names another.
///
/// The default is, in this order: the model named by `PENGUIN_DEFAULT_MODEL` or the configuration (an id of
/// `model_configs`, or `provider/model`); the first entry of `model_configs` whose key is there or that needs none;
/// the sensible model of the first provider whose key is set (`OPENROUTER_API_KEY`, `OPENAI_API_KEY`,
/// `ANTHROPIC_API_KEY`); the first model of a local Ollama; `offline`. So `offline` is never the default while a key
/// is present, unless it is named. `OPENROUTER_BASE_URL`, `OPENAI_BASE_URL`, `ANTHROPIC_BASE_URL` and
/// `OLLAMA_BASE_URL` point a provider elsewhere.
package struct ModelCatalogue: Sendable {
    /// How many ids the error for an unknown one names.
    private static let idsNamedMax = 20

    /// The configured models in their order, those the environment adds, and `offline` last.
    package let models: [ModelConfiguration]
    /// The model to ask when nobody names another.
    package let defaultModel: ModelConfiguration
    private let keys: ProviderKeys

    /// Reads the catalogue off the configuration and the environment.
    ///
    /// `localModels` are the names that a local Ollama reported (`LocalModelServer`). Throws `.unknownModel` when the
    /// default that was named is neither configured nor to be reached.
    package init(
        configurations: [ModelConfiguration],
        defaultModel: String? = nil,
        environment: [String: String],
        localModels: [String] = []
    ) throws(ModelError) {
        let keys = ProviderKeys(environment: environment)
        var models = configurations.map { Self.completed($0, keys: keys) }
        let usable = models.first { Self.isUsable($0, keys: keys) }
        for provider in KnownProvider.all where provider.hasKey(in: keys) {
            guard let model = provider.sensibleModel else { continue }
            models.append(provider.configuration(id: "\(provider.name)/\(model)", model: model, keys: keys))
        }
        if let ollama = KnownProvider.named("ollama") {
            models += localModels.map { ollama.configuration(id: "ollama/\($0)", model: $0, keys: keys) }
        }
        models.append(OfflineModel.configuration)
        models = Self.withoutRepetitions(models)

        // The models after the configured ones are there because a key or a server is, in order of preference.
        let added = models.dropFirst(Self.withoutRepetitions(configurations).count)
        var chosen = usable ?? added.first ?? OfflineModel.configuration
        if let named = keys.value(of: "PENGUIN_DEFAULT_MODEL") ?? defaultModel, !named.isEmpty {
            chosen = try Self.find(named, in: models, keys: keys)
        }
        if !models.contains(where: { $0.id == chosen.id }) { models.insert(chosen, at: 0) }
        self.keys = keys
        self.defaultModel = chosen
        self.models = models
    }

    /// The configuration behind an id of `models` or a `provider/model`; `.unknownModel` names the ids there are.
    package func configuration(for id: String) throws(ModelError) -> ModelConfiguration {
        try Self.find(id, in: self.models, keys: self.keys)
    }
}

extension ModelCatalogue {
    private static func find(
        _ id: String,
        in models: [ModelConfiguration],
        keys: ProviderKeys
    ) throws(ModelError) -> ModelConfiguration {
        if let known = models.first(where: { $0.id == id }) { return known }
        if let direct = self.direct(id, keys: keys) { return direct }
        let named = models.prefix(self.idsNamedMax).map(\.id).joined(separator: ", ")
        let more = models.count > self.idsNamedMax ? " and \(models.count - self.idsNamedMax) more" : ""
        throw ModelError(.unknownModel, "there is no model \"\(id.prefix(100))\"; there are \(named)\(more)")
    }

    /// `provider/model`: the provider before the first slash if it can be reached, else OpenRouter if that has a key.
    private static func direct(_ id: String, keys: ProviderKeys) -> ModelConfiguration? {
        guard let slash = id.firstIndex(of: "/") else { return nil }
        let model = id[id.index(after: slash)...]
        guard slash != id.startIndex, !model.isEmpty else { return nil }
        if let provider = KnownProvider.named(id[..<slash]), provider.isReachable(with: keys) {
            return provider.configuration(id: id, model: String(model), keys: keys)
        }
        guard let openRouter = KnownProvider.named("openrouter"), openRouter.isReachable(with: keys) else { return nil }
        return openRouter.configuration(id: id, model: id, keys: keys)
    }

    /// Fills in the place and the key's variable of a configured model that only names a known provider.
    private static func completed(_ configuration: ModelConfiguration, keys: ProviderKeys) -> ModelConfiguration {
        guard configuration.apiBase.isEmpty, let provider = KnownProvider.named(configuration.provider) else {
            return configuration
        }
        let known = provider.configuration(id: configuration.id, model: configuration.model, keys: keys)
        var completed = configuration
        completed.apiBase = known.apiBase
        completed.apiKeyVariable = configuration.apiKeyVariable ?? known.apiKeyVariable
        return completed
    }

    private static func isUsable(_ configuration: ModelConfiguration, keys: ProviderKeys) -> Bool {
        guard configuration.wireFormat != .offline, !configuration.apiBase.isEmpty else { return false }
        return configuration.apiKeyVariable.map { keys.value(of: $0) != nil } ?? true
    }

    /// The first of each id.
    private static func withoutRepetitions(_ models: [ModelConfiguration]) -> [ModelConfiguration] {
        var seen: Set<String> = []
        return models.filter { seen.insert($0.id).inserted }
    }
}
