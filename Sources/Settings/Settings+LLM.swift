package import Domain

extension Settings {
    /// Which models there are, and how often a turn is tried.
    package struct LLM: Sendable {
        /// An id of `model_configs`, or `provider/model`; nil leaves the choice to the catalogue.
        package var defaultModel: String?
        package var turnAttemptsMax: Int
        /// The first wait before a retry is random, up to this; each next one up to twice as long.
        package var retryBase: Duration
        package var retryCap: Duration
        /// `model_configs`, in the order of the file.
        ///
        /// For the known providers `apiBase` stays empty and `apiKeyVariable` nil unless the file gives them:
        /// the catalogue fills them in.
        package var modelConfigurations: [ModelConfiguration]
    }
}

extension Settings.LLM {
    static let section = SettingSection(
        "llm",
        "Which model answers, and how often a turn is tried. The models themselves are under `model_configs`.",
        keys: [
            SettingKey(
                "llm.default_model",
                variable: "PENGUIN_DEFAULT_MODEL",
                .text("an id of model_configs, or provider/model"),
                defaultNote: "a model of the provider whose key is set",
                example: "openai/gpt-5-mini",
                "The model for requests that name none: an id of `model_configs`, or `provider/model`."
            ),
            SettingKey(
                "llm.turn_attempts_max",
                variable: "PENGUIN_TURN_ATTEMPTS",
                .integer(1...100),
                default: "5",
                unit: "attempts",
                "How often one model call is tried when the provider fails."
            ),
            SettingKey(
                "llm.retry_base_seconds",
                variable: "PENGUIN_RETRY_BASE_SECONDS",
                .seconds(0...3600),
                default: "1",
                unit: "s",
                "Longest first wait before a retry; each next one may be twice as long. Waits are random."
            ),
            SettingKey(
                "llm.retry_cap_seconds",
                .seconds(0...3600),
                default: "60",
                unit: "s",
                "Longest wait before a retry."
            ),
        ]
    )

    init(reading reader: inout SettingsReader) {
        self.defaultModel = reader.text("llm.default_model", where: NameCharacters.isModelID)
        self.turnAttemptsMax = reader.integer("llm.turn_attempts_max")
        self.retryBase = reader.duration("llm.retry_base_seconds")
        self.retryCap = reader.duration("llm.retry_cap_seconds")
        if self.retryBase > self.retryCap {
            reader.contradiction(
                "llm.retry_base_seconds",
                with: "llm.retry_cap_seconds",
                "\(self.retryBase) does not fit: expected at most llm.retry_cap_seconds (\(self.retryCap))"
            )
        }
        self.modelConfigurations = ModelConfigurationReader.all(reading: &reader)
    }
}
