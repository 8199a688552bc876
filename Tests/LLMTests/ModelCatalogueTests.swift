import Domain
import LLM
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ModelCatalogueTests {
    private let configured = [
        ModelConfiguration(
            id: "fast",
            model: "openai/gpt-5-nano",
            provider: "openrouter",
            wireFormat: .openAI,
            apiBase: "",
            apiKeyVariable: "FAST_KEY"
        ),
        ModelConfiguration(
            id: "local",
            model: "llama",
            provider: "vllm",
            wireFormat: .openAI,
            apiBase: "http://box:8000/v1"
        ),
    ]

    /// One row: the environment, the default that is named, and the id, base and key of the default that comes out.
    struct Row: CustomTestStringConvertible {
        var environment: [String: String]
        var named: String?
        var local: [String] = []
        var id: String
        var model: String
        var base: String
        var key: String?

        var testDescription: String { "\(self.environment) \(self.named ?? "") -> \(self.id)" }
    }

    static let rows = [
        Row(environment: [:], id: "offline", model: "offline", base: ""),
        Row(environment: ["OPENAI_API_KEY": ""], id: "offline", model: "offline", base: ""),
        Row(
            environment: ["OPENROUTER_API_KEY": "k"],
            id: "openrouter/openrouter/auto",
            model: "openrouter/auto",
            base: "https://openrouter.ai/api/v1",
            key: "OPENROUTER_API_KEY"
        ),
        Row(
            environment: ["OPENAI_API_KEY": "k"],
            id: "openai/gpt-5-mini",
            model: "gpt-5-mini",
            base: "https://api.openai.com/v1",
            key: "OPENAI_API_KEY"
        ),
        Row(
            environment: ["OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1/"],
            id: "openai/gpt-5-mini",
            model: "gpt-5-mini",
            base: "http://127.0.0.1:9/v1",
            key: "OPENAI_API_KEY"
        ),
        Row(
            environment: ["OPENAI_API_KEY": "k", "OPENROUTER_API_KEY": "k"],
            id: "openrouter/openrouter/auto",
            model: "openrouter/auto",
            base: "https://openrouter.ai/api/v1",
            key: "OPENROUTER_API_KEY"
        ),
        Row(
            environment: ["ANTHROPIC_API_KEY": "k"],
            id: "anthropic/claude-sonnet-4-5",
            model: "claude-sonnet-4-5",
            base: "https://api.anthropic.com",
            key: "ANTHROPIC_API_KEY"
        ),
        Row(
            environment: [:],
            local: ["qwen3"],
            id: "ollama/qwen3",
            model: "qwen3",
            base: "http://localhost:11434/v1"
        ),
        Row(
            environment: ["OPENAI_API_KEY": "k"],
            local: ["qwen3"],
            id: "openai/gpt-5-mini",
            model: "gpt-5-mini",
            base: "https://api.openai.com/v1",
            key: "OPENAI_API_KEY"
        ),
        Row(
            environment: ["OPENAI_API_KEY": "k"],
            named: "openai/gpt-5",
            id: "openai/gpt-5",
            model: "gpt-5",
            base: "https://api.openai.com/v1",
            key: "OPENAI_API_KEY"
        ),
        Row(
            environment: ["OPENROUTER_API_KEY": "k"],
            named: "openai/gpt-5",
            id: "openai/gpt-5",
            model: "openai/gpt-5",
            base: "https://openrouter.ai/api/v1",
            key: "OPENROUTER_API_KEY"
        ),
        Row(
            environment: ["OPENROUTER_API_KEY": "k"],
            named: "openrouter/x-ai/grok",
            id: "openrouter/x-ai/grok",
            model: "x-ai/grok",
            base: "https://openrouter.ai/api/v1",
            key: "OPENROUTER_API_KEY"
        ),
        Row(
            environment: ["OPENAI_BASE_URL": "http://box/v1"],
            named: "openai/m",
            id: "openai/m",
            model: "m",
            base: "http://box/v1"
        ),
        Row(
            environment: ["PENGUIN_DEFAULT_MODEL": "ollama/a/b:7b"],
            named: "openai/gpt-5",
            id: "ollama/a/b:7b",
            model: "a/b:7b",
            base: "http://localhost:11434/v1"
        ),
        Row(environment: ["OPENAI_API_KEY": "k"], named: "offline", id: "offline", model: "offline", base: ""),
    ]

    @Test(arguments: Self.rows)
    func `the environment alone makes a default`(row: Row) throws {
        let catalogue = try ModelCatalogue(
            configurations: [],
            defaultModel: row.named,
            environment: row.environment,
            localModels: row.local
        )
        #expect(catalogue.defaultModel.id == row.id)
        #expect(catalogue.defaultModel.model == row.model)
        #expect(catalogue.defaultModel.apiBase == row.base)
        #expect(catalogue.defaultModel.apiKeyVariable == row.key)
        #expect(catalogue.models.contains(catalogue.defaultModel))
        #expect(catalogue.models.last?.id == "offline")
        #expect(try catalogue.configuration(for: row.id) == catalogue.defaultModel)
    }

    @Test func `a configured model that can be asked comes before what the environment adds`() throws {
        let environment = ["OPENAI_API_KEY": "k"]
        let catalogue = try ModelCatalogue(configurations: self.configured, environment: environment)
        #expect(catalogue.defaultModel.id == "local")
        #expect(catalogue.models.map(\.id) == ["fast", "local", "openai/gpt-5-mini", "offline"])
        let keyed = try ModelCatalogue(configurations: self.configured, environment: ["FAST_KEY": "k"])
        #expect(keyed.defaultModel.id == "fast")
        #expect(keyed.defaultModel.apiBase == "https://openrouter.ai/api/v1")
        #expect(keyed.defaultModel.apiKeyVariable == "FAST_KEY")
    }

    @Test func `an entry named like a provider's model is the one that is meant`() throws {
        var own = self.configured[1]
        own.id = "openai/gpt-5"
        let catalogue = try ModelCatalogue(
            configurations: [own],
            defaultModel: "openai/gpt-5",
            environment: ["OPENAI_API_KEY": "k"]
        )
        #expect(catalogue.defaultModel.apiBase == "http://box:8000/v1")
    }

    @Test func `a default that cannot be reached is an error that names what there is`() throws {
        let error = #expect(throws: ModelError.self) {
            try ModelCatalogue(configurations: self.configured, defaultModel: "openai/gpt-5", environment: [:])
        }
        #expect(error?.code == .unknownModel)
        #expect(error?.message.contains("openai/gpt-5") == true)
        #expect(error?.message.contains("fast, local, offline") == true)
    }

    @Test(arguments: ["nope", "/x", "x/", "", "nobody/x"])
    func `an unknown id is an error that names what there is`(id: String) throws {
        let catalogue = try ModelCatalogue(configurations: self.configured, environment: [:])
        let error = #expect(throws: ModelError.self) { try catalogue.configuration(for: id) }
        #expect(error?.code == .unknownModel)
        #expect(error?.message.contains("fast, local, offline") == true)
        #expect(error?.isRetryable == false)
    }
}
