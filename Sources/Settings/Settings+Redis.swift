extension Settings {
    /// The Redis that carries jobs and events between processes.
    package struct Redis: Sendable {
        /// `redis://`, `rediss://` or `unix://`; nil starts a private Redis next to the server.
        package var url: Secret?
        /// What every key and channel of ours begins with.
        package var keyPrefix: String
        /// How long a command may take before its connection counts as dead.
        package var commandTimeout: Duration
    }
}

extension Settings.Redis {
    static let section = SettingSection(
        "redis",
        "The Redis that carries jobs and events between processes.",
        keys: [
            SettingKey(
                "redis.url",
                variable: "REDIS_URL",
                .text("redis://[user:password@]host[:port][/number], rediss://… for TLS, or unix:///path"),
                defaultNote: "none (a private Redis is started)",
                example: "redis://127.0.0.1:6379/0",
                "The Redis server; in the file only without a password.",
                isSecret: true
            ),
            SettingKey(
                "redis.key_prefix",
                variable: "PENGUIN_REDIS_PREFIX",
                .text("1 to 64 letters, digits or any of . _ - : { }"),
                default: "penguin:",
                "What every key and channel begins with, so that several servers can share one Redis."
            ),
            SettingKey(
                "redis.command_timeout_seconds",
                .seconds(0.1...600),
                default: "5",
                unit: "s",
                "How long a command may take before its connection is given up."
            ),
        ]
    )

    /// Of the URL only the scheme is checked here: `Redis`, which takes it apart, says what else is wrong.
    init(reading reader: inout SettingsReader) {
        self.url = Self.url(reading: &reader)
        self.keyPrefix = reader.text("redis.key_prefix", where: Self.isPrefix) ?? ""
        self.commandTimeout = reader.duration("redis.command_timeout_seconds")
    }

    private static func url(reading reader: inout SettingsReader) -> Secret? {
        guard let given = reader.given("redis.url") else { return nil }
        guard let mark = given.text.firstRange(of: "://"), mark.upperBound < given.text.endIndex,
            ["redis", "rediss", "unix"].contains(given.text[..<mark.lowerBound].lowercased())
        else {
            reader.refuse("redis.url", given)
            return nil
        }
        if case .file = given.origin, self.hasPassword(given.text[mark.upperBound...]) {
            reader.add(
                .secretInFile,
                "redis.url",
                "a password is not read from the file: set REDIS_URL in the environment instead",
                at: given.origin
            )
        }
        return Secret(given.text)
    }

    /// Looks for `user:password@` anywhere: a `/` that should have been encoded does not hide a password.
    private static func hasPassword(_ locator: Substring) -> Bool {
        guard let at = locator.lastIndex(of: "@") else { return false }
        let login = locator[..<at]
        guard let colon = login.firstIndex(of: ":") else { return false }
        return login.index(after: colon) < login.endIndex
    }

    private static func isPrefix(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { NameCharacters.isPlain($0) || ":{}".utf8.contains($0) }
    }
}
