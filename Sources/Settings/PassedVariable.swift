import Domain

/// A variable that is no setting of ours: the model catalogue asks for it by name when it needs it.
package struct PassedVariable: Sendable {
    package let name: String
    /// One sentence for the documentation.
    package let summary: String

    /// The variables that providers' own tools know too.
    package static let known: [PassedVariable] = [
        PassedVariable(name: "OPENAI_API_KEY", summary: "The key for provider `openai`."),
        PassedVariable(name: "OPENAI_BASE_URL", summary: "Where `openai` is, in place of https://api.openai.com/v1."),
        PassedVariable(name: "ANTHROPIC_API_KEY", summary: "The key for provider `anthropic`."),
        PassedVariable(
            name: "ANTHROPIC_BASE_URL",
            summary: "Where `anthropic` is, in place of https://api.anthropic.com."
        ),
        PassedVariable(name: "OPENROUTER_API_KEY", summary: "The key for provider `openrouter` and model discovery."),
        PassedVariable(
            name: "OPENROUTER_BASE_URL",
            summary: "Where `openrouter` is, in place of https://openrouter.ai/api/v1."
        ),
        PassedVariable(
            name: "OLLAMA_BASE_URL",
            summary: "Where `ollama` is, in place of http://localhost:11434/v1."
        ),
        PassedVariable(
            name: "OPENROUTER_SITE_URL",
            summary: "The site for OpenRouter's attribution; passed on, not sent yet."
        ),
        PassedVariable(
            name: "OPENROUTER_SITE_TITLE",
            summary: "The application's name for OpenRouter's attribution; passed on, not sent yet."
        ),
    ]

    /// Those of `environment` that the catalogue may ask for: `*_API_KEY`, `*_BASE_URL`, `OPENROUTER_SITE_*`, and
    /// whatever a model names in `api_key_env`.
    static func selected(
        from environment: [String: String],
        for models: [ModelConfiguration]
    ) -> [String: String] {
        let named = Set(models.compactMap(\.apiKeyVariable))
        return environment.filter { name, value in
            guard !value.isEmpty else { return false }
            return name.hasSuffix("_API_KEY") || name.hasSuffix("_BASE_URL") || name.hasPrefix("OPENROUTER_SITE_")
                || named.contains(name)
        }
    }
}
