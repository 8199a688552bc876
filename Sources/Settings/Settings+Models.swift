extension Settings.LLM {
    private static let outputTokens = 1...100_000_000

    /// The keys of one entry of `model_configs`; `<id>` is the entry's own name.
    static let modelSection = SettingSection(
        "model_configs",
        "The models to choose from, each under an id of your choice (letters, digits, `. _ - : / @ +`). "
            + "With no entry the environment is enough: a key, or `llm.default_model`.",
        keys: [
            SettingKey(
                "model_configs.<id>.model",
                .text("the model's name at the provider"),
                defaultNote: "the id",
                example: "openai/gpt-5-mini",
                "The model's name at the provider."
            ),
            SettingKey(
                "model_configs.<id>.provider",
                .text("1 to 64 small letters, digits or . _ -"),
                defaultNote: "required",
                example: "openrouter",
                "`openai`, `openrouter`, `anthropic`, `ollama`, `offline`, or a name of yours with `api_base`."
            ),
            SettingKey(
                "model_configs.<id>.api_base",
                .text("http:// or https:// and no password, query or /chat/completions"),
                defaultNote: "the provider's",
                example: "https://openrouter.ai/api/v1",
                "Where the provider is, up to and without `/chat/completions`.",
                isSecret: true
            ),
            SettingKey(
                "model_configs.<id>.wire_format",
                .choice(["openai", "anthropic"]),
                defaultNote: "`anthropic` for that provider, else `openai`",
                example: "openai",
                "The protocol the provider speaks: chat completions or messages."
            ),
            SettingKey(
                "model_configs.<id>.api_key_env",
                .text("the name of a variable in capitals, never the key itself"),
                defaultNote: "the provider's; none with `api_base`",
                example: "OPENROUTER_API_KEY",
                "The environment variable that holds the key.",
                isSecret: true
            ),
            SettingKey(
                "model_configs.<id>.max_output_tokens",
                .integer(outputTokens),
                defaultNote: "the provider's",
                example: "8192",
                unit: "tokens",
                "The most tokens one turn may write."
            ),
            SettingKey(
                "model_configs.<id>.max_tokens",
                .integer(outputTokens),
                defaultNote: "none",
                unit: "tokens",
                "The older name of `max_output_tokens`."
            ),
            SettingKey(
                "model_configs.<id>.temperature",
                .number(0...2),
                defaultNote: "the provider's",
                example: "0.7",
                "Sampling temperature."
            ),
            SettingKey(
                "model_configs.<id>.context_window",
                .integer(1024...100_000_000),
                default: "128000",
                unit: "tokens",
                "Tokens that fit into prompt and answer together."
            ),
            SettingKey(
                "model_configs.<id>.vision_enabled",
                .flag,
                default: "false",
                "Whether the model takes images."
            ),
            SettingKey(
                "model_configs.<id>.reasoning_effort",
                .choice(["minimal", "low", "medium", "high"]),
                defaultNote: "the provider's",
                example: "medium",
                "How much the model reasons before it answers."
            ),
            SettingKey(
                "model_configs.<id>.idle_timeout_seconds",
                .integer(1...3600),
                default: "120",
                unit: "s",
                "A turn without a byte for so long has timed out; whole seconds."
            ),
            SettingKey(
                "model_configs.<id>.prompt_price",
                .number(0...1_000_000),
                defaultNote: "unknown",
                example: "0.25",
                unit: "US$ per million tokens",
                "Price of the prompt, for cost figures when the provider gives none."
            ),
            SettingKey(
                "model_configs.<id>.completion_price",
                .number(0...1_000_000),
                defaultNote: "unknown",
                example: "2",
                unit: "US$ per million tokens",
                "Price of the answer, likewise."
            ),
        ]
    )
}
