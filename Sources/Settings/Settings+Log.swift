extension Settings {
    /// What is logged, and how.
    package struct Log: Sendable {
        /// From everything to nearly nothing; the names are swift-log's.
        package enum Level: String, CaseIterable, Sendable {
            case trace, debug, info, notice, warning, error, critical
        }

        package enum Format: String, CaseIterable, Sendable {
            /// Lines for people.
            case text
            /// One JSON object per line, for collectors.
            case json
        }

        package var level: Level
        package var format: Format
    }
}

extension Settings.Log {
    static let section = SettingSection(
        "log",
        "What is logged, and how.",
        keys: [
            SettingKey(
                "log.level",
                variable: "LOG_LEVEL",
                .choice(Level.allCases.map(\.rawValue)),
                default: "info",
                "What is less important than this is not logged."
            ),
            SettingKey(
                "log.format",
                variable: "LOG_FORMAT",
                .choice(Format.allCases.map(\.rawValue)),
                default: "text",
                "Lines for people, or one JSON object per line."
            ),
            SettingKey(
                "log.debug",
                variable: "DEBUG",
                .text("true; anything else counts as false"),
                defaultNote: "false",
                "`true` means level `debug`, unless `LOG_LEVEL` is set; other values are other programs' business.",
                place: .environmentOnly
            ),
        ]
    )

    init(reading reader: inout SettingsReader) {
        let level: Level = reader.choice("log.level")
        self.level = Self.debugs(&reader) && !reader.isFromEnvironment("log.level") ? .debug : level
        self.format = reader.choice("log.format")
    }

    /// `DEBUG` belongs to every program of a shell, so `DEBUG=app:*` is no reason to refuse to start.
    private static func debugs(_ reader: inout SettingsReader) -> Bool {
        guard let given = reader.given("log.debug") else { return false }
        return ["true", "yes", "on", "1"].contains(given.text.lowercased())
    }
}
