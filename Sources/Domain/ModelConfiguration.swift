/// One entry of `model_configs`: which model to ask, where, and how.
public struct ModelConfiguration: Codable, Hashable, Sendable {
    /// The wire format a provider speaks.
    public enum WireFormat: String, Codable, CaseIterable, Sendable {
        /// OpenAI chat completions, spoken by OpenRouter, Ollama, vLLM, llama.cpp and LiteLLM too.
        case openAI = "openai"
        /// Anthropic messages.
        case anthropic
        /// The built-in model that answers without any provider.
        case offline
    }

    /// The key in `model_configs`, or `provider/model` when the environment alone named it.
    public var id: String
    /// The model's name at the provider, for example `openai/gpt-5` at OpenRouter.
    public var model: String
    /// The provider's name: `openai`, `openrouter`, `anthropic`, `ollama`, `offline`, or any label for an `api_base`.
    public var provider: String
    /// The wire format.
    public var wireFormat: WireFormat
    /// The base URL, without `/chat/completions`; empty only for `offline`.
    public var apiBase: String
    /// The environment variable that holds the key; nil when the provider needs none.
    public var apiKeyVariable: String?
    /// The most tokens one turn may write; nil leaves it to the provider.
    public var maxOutputTokens: Int?
    /// Sampling temperature; nil leaves it to the provider.
    public var temperature: Double?
    /// Tokens that fit into prompt and answer together.
    public var contextWindow: Int
    /// Whether the model takes images.
    public var visionEnabled: Bool
    /// Reasoning effort (`minimal` … `high`) or nil for the provider's default.
    public var reasoningEffort: String?
    /// Seconds without a byte after which a turn has timed out.
    public var idleTimeoutSeconds: Int
    /// US dollars per million prompt tokens; nil when unknown.
    public var promptPrice: Double?
    /// US dollars per million completion tokens; nil when unknown.
    public var completionPrice: Double?

    /// A configuration with the defaults of docs/configuration.md.
    public init(
        id: String,
        model: String,
        provider: String,
        wireFormat: WireFormat,
        apiBase: String,
        apiKeyVariable: String? = nil,
        maxOutputTokens: Int? = nil,
        temperature: Double? = nil,
        contextWindow: Int = 128_000,
        visionEnabled: Bool = false,
        reasoningEffort: String? = nil,
        idleTimeoutSeconds: Int = 120,
        promptPrice: Double? = nil,
        completionPrice: Double? = nil
    ) {
        self.id = id
        self.model = model
        self.provider = provider
        self.wireFormat = wireFormat
        self.apiBase = apiBase
        self.apiKeyVariable = apiKeyVariable
        self.maxOutputTokens = maxOutputTokens
        self.temperature = temperature
        self.contextWindow = contextWindow
        self.visionEnabled = visionEnabled
        self.reasoningEffort = reasoningEffort
        self.idleTimeoutSeconds = idleTimeoutSeconds
        self.promptPrice = promptPrice
        self.completionPrice = completionPrice
    }
}
