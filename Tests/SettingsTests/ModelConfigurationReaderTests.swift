import Domain
import Foundation
import Settings
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ModelConfigurationReaderTests {
    private func models(_ yaml: String) throws -> [ModelConfiguration] {
        try withFile(yaml) { try Settings(file: $0, environment: ["HOME": "/h"]).llm.modelConfigurations }
    }

    @Test func `a full entry becomes a full configuration`() throws {
        let yaml = """
            model_configs:
              openai/gpt.5:
                model: gpt-5
                provider: mine
                api_base: https://models.example:8443/v1//
                wire_format: anthropic
                api_key_env: MY_KEY
                max_output_tokens: 4096
                temperature: 0.5
                context_window: 32768
                vision_enabled: yes
                reasoning_effort: high
                idle_timeout_seconds: 30
                prompt_price: 0.25
                completion_price: 2
            """
        let expected = ModelConfiguration(
            id: "openai/gpt.5",
            model: "gpt-5",
            provider: "mine",
            wireFormat: .anthropic,
            apiBase: "https://models.example:8443/v1",
            apiKeyVariable: "MY_KEY",
            maxOutputTokens: 4096,
            temperature: 0.5,
            contextWindow: 32_768,
            visionEnabled: true,
            reasoningEffort: "high",
            idleTimeoutSeconds: 30,
            promptPrice: 0.25,
            completionPrice: 2
        )
        #expect(try self.models(yaml) == [expected])
    }

    @Test(arguments: [
        ("openai", ModelConfiguration.WireFormat.openAI), ("openrouter", .openAI), ("ollama", .openAI),
        ("anthropic", .anthropic), ("offline", .offline),
    ])
    func `a known provider needs nothing else`(provider: String, format: ModelConfiguration.WireFormat) throws {
        let expected = ModelConfiguration(id: "m", model: "m", provider: provider, wireFormat: format, apiBase: "")
        #expect(try self.models("model_configs: {m: {provider: \(provider)}}") == [expected])
    }

    @Test func `models keep the order of the file`() throws {
        let yaml = "model_configs:\n" + ["z", "a", "m", "1", "b"].map { "  \($0): {provider: openai}\n" }.joined()
        #expect(try self.models(yaml).map(\.id) == ["z", "a", "m", "1", "b"])
    }

    @Test func `max_tokens is an older name of max_output_tokens`() throws {
        #expect(try self.models("model_configs: {m: {provider: openai, max_tokens: 7}}").first?.maxOutputTokens == 7)
        #expect(try self.models("model_configs: {}").isEmpty)
    }

    @Test(arguments: [
        (
            "{m: {}}",
            "model_configs.m.provider (FILE line 1): is missing: expected openai, openrouter, anthropic, "
                + "ollama, offline or a name of yours"
        ),
        ("{m: {provider: mine}}", "model_configs.m.api_base (FILE line 1): is missing: provider mine needs one"),
        (
            "{m: {provider: Mine}}",
            #"model_configs.m.provider (FILE line 1): "Mine" does not fit: expected "#
                + "1 to 64 small letters, digits or . _ -"
        ),
        (
            "{a b: {provider: openai}}",
            #"model_configs (FILE line 1): "a b" is no id: expected 1 to 128 letters, "#
                + "digits or . _ - : / @ +"
        ),
        (
            "{m: {provider: openai, max_tokens: 7, max_output_tokens: 8}}",
            #"model_configs.m.max_tokens (FILE line 1): "7" does not fit: max_output_tokens says it already"#
        ),
        (
            "{m: {provider: openai, temperature: 3}}",
            #"model_configs.m.temperature (FILE line 1): "3" does not fit: expected a number from 0 to 2"#
        ),
        (
            "{m: {provider: openai, api_base: 'http://h/v1/chat/completions'}}",
            "model_configs.m.api_base (FILE line 1): the value (not shown) does not fit: expected "
                + "http:// or https:// and no password, query or /chat/completions"
        ),
        (
            "{m: {provider: openai, reasoning_effort: huge}}",
            #"model_configs.m.reasoning_effort (FILE line 1): "#
                + #""huge" does not fit: expected one of minimal, low, medium, high"#
        ),
    ])
    func `a wrong entry is named`(models: String, problem: String) throws {
        try withFile("model_configs: \(models)") { file in
            let error = #expect(throws: SettingsError.self) { try Settings(file: file, environment: ["HOME": "/h"]) }
            let problems = try #require(error).problems.map { $0.description.replacing(file.path, with: "FILE") }
            #expect(problems == [problem])
        }
    }
}
