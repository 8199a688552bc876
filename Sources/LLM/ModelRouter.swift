import Domain
package import HTTPClient

/// The provider that knows which provider: sends each turn where its model's configuration points.
package struct ModelRouter: ModelProvider {
    private let chatCompletions: ChatCompletionsProvider
    private let offline = OfflineModel()

    /// A router that sends through `client` with the keys of `environment`.
    package init(client: HTTPClient, environment: [String: String]) {
        self.chatCompletions = ChatCompletionsProvider(client: client, keys: ProviderKeys(environment: environment))
    }

    package func stream(_ request: ModelRequest) -> ModelEventStream {
        switch request.model.wireFormat {
        case .openAI: self.chatCompletions.stream(request)
        case .offline: self.offline.stream(request)
        case .anthropic: ModelEventStream([], error: Self.anthropicError(for: request.model.id))
        }
    }

    private static func anthropicError(for id: String) -> ModelError {
        let way = "ask the model through OpenRouter (OPENROUTER_API_KEY) or another server with the OpenAI wire format"
        return ModelError(
            .unsupported,
            "the model \(id) speaks Anthropic's wire format, which is not spoken here; \(way)"
        )
    }
}
