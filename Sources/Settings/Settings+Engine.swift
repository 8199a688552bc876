extension Settings {
    /// How far one run may go when the request does not say.
    package struct Engine: Sendable {
        package var chatIterationsMax: Int
        package var chatTimeLimit: Duration
    }
}

extension Settings.Engine {
    static let section = SettingSection(
        "engine",
        "How far one run may go when the request does not say.",
        keys: [
            SettingKey(
                "engine.chat_max_iterations",
                .integer(1...1000),
                default: "5",
                unit: "iterations",
                "Model calls for one chat message."
            ),
            SettingKey(
                "engine.chat_time_limit_seconds",
                variable: "PENGUIN_CHAT_TIME_LIMIT",
                .seconds(0.1...86_400),
                default: "600",
                unit: "s",
                "Time for one chat message; what is there by then is the answer."
            ),
        ]
    )

    init(reading reader: inout SettingsReader) {
        self.chatIterationsMax = reader.integer("engine.chat_max_iterations")
        self.chatTimeLimit = reader.duration("engine.chat_time_limit_seconds")
    }
}
