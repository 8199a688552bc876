import Foundation

extension Settings {
    /// Where the HTTP server listens, whom it lets in, and its limits.
    package struct Server: Sendable {
        /// The address or host name to bind.
        package var host: String
        /// The port; 0 takes any free one.
        package var port: Int
        /// Browser origins that may call the API; empty for none.
        package var corsOrigins: [String]
        /// The keys clients may show; empty means that everybody who reaches the port is let in.
        package var apiKeys: [APIKey]
        /// How long a synchronous request waits before it answers 202.
        package var syncTimeout: Duration
        package var bodyBytesMax: Int
        /// How long a stop waits for running work.
        package var shutdownGrace: Duration
        package var webSocketMessageBytesMax: Int
    }
}

extension Settings.Server {
    static let section = SettingSection(
        "server",
        "Where the HTTP server listens, whom it lets in, and its limits.",
        keys: [
            SettingKey(
                "server.host",
                variable: "HOST",
                .text("an address or host name"),
                default: "127.0.0.1",
                "Address to bind; one that other machines can reach needs `PENGUIN_API_KEYS`."
            ),
            SettingKey(
                "server.port",
                variable: "PORT",
                .integer(0...65_535),
                default: "8000",
                "Port to bind; 0 takes any free one."
            ),
            SettingKey(
                "server.cors_origins",
                variable: "PENGUIN_CORS_ORIGINS",
                .list("origins such as https://app.example.com, or * for all"),
                example: "[http://localhost:3000]",
                "Browser origins that may call the API: a YAML list, or separated by commas."
            ),
            SettingKey(
                "server.api_keys",
                variable: "PENGUIN_API_KEYS",
                .list("entries name=key or key, the key at least \(APIKey.keyCharactersMin) printable characters"),
                "Keys that clients must show, separated by commas; the name appears in logs and quotas.",
                place: .environmentOnly,
                isSecret: true
            ),
            SettingKey(
                "server.admin_keys",
                variable: "PENGUIN_ADMIN_KEYS",
                .list("names of keys in PENGUIN_API_KEYS"),
                example: "[]",
                "Names in `PENGUIN_API_KEYS` whose keys may pause the queue, drain workers and see everybody's figures."
            ),
            SettingKey(
                "server.sync_timeout_seconds",
                variable: "PENGUIN_SYNC_TIMEOUT",
                .seconds(0...86_400),
                default: "300",
                unit: "s",
                "How long a synchronous request waits before it answers 202 with the job's address."
            ),
            SettingKey(
                "server.body_bytes_max",
                variable: "PENGUIN_MAX_BODY_BYTES",
                .integer(1024...1_073_741_824),
                default: "1048576",
                unit: "bytes",
                "Largest request body; a larger one is answered with 413."
            ),
            SettingKey(
                "server.shutdown_grace_seconds",
                variable: "PENGUIN_SHUTDOWN_GRACE",
                .seconds(0...3600),
                default: "25",
                unit: "s",
                "How long a stop waits for running steps before their jobs go back to the queue."
            ),
            SettingKey(
                "server.websocket_message_bytes_max",
                .integer(1024...67_108_864),
                default: "1048576",
                unit: "bytes",
                "Largest WebSocket message from a client; a larger one closes the socket with 1009."
            ),
        ]
    )

    init(reading reader: inout SettingsReader) {
        self.host = reader.text("server.host") { !$0.isEmpty && !$0.contains { $0.isWhitespace || $0 == "/" } } ?? ""
        self.port = reader.integer("server.port")
        self.corsOrigins = reader.list("server.cors_origins", where: Self.isOrigin)
        self.apiKeys = Self.appointing(Self.apiKeys(reading: &reader), reading: &reader)
        self.syncTimeout = reader.duration("server.sync_timeout_seconds")
        self.bodyBytesMax = reader.integer("server.body_bytes_max")
        self.shutdownGrace = reader.duration("server.shutdown_grace_seconds")
        self.webSocketMessageBytesMax = reader.integer("server.websocket_message_bytes_max")
    }

    /// Scheme, host and port and nothing else, as browsers send it in `Origin`.
    private static func isOrigin(_ text: String) -> Bool {
        if text == "*" { return true }
        if text.contains(where: \.isWhitespace) { return false }
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty else { return false }
        return parts.scheme != nil && parts.path.isEmpty && parts.query == nil && parts.fragment == nil
            && parts.user == nil && parts.password == nil
    }

    private static func apiKeys(reading reader: inout SettingsReader) -> [APIKey] {
        let name = "server.api_keys"
        guard let given = reader.given(name) else { return [] }
        let keys = SettingsReader.entries(of: given.text).map(APIKey.init(entry:))
        for (index, key) in keys.enumerated() {
            if let complaint = key.complaint {
                reader.refuse(name, given, because: "entry \(index + 1) \(complaint)")
            }
        }
        if Set(keys.map(\.key)).count < keys.count {
            reader.refuse(name, given, because: "the same key twice")
        }
        let names = keys.compactMap(\.name)
        if Set(names).count < names.count {
            reader.refuse(name, given, because: "the same name twice")
        }
        if keys.isEmpty {
            // Whoever sets the variable wants a locked door: commas alone must not open it.
            reader.refuse(name, given, because: "it holds no key")
        }
        return keys
    }

    /// Makes administrators of the keys that are named so.
    ///
    /// A name that no key has is refused, and not repeated: somebody may have put the key itself there.
    private static func appointing(_ keys: [APIKey], reading reader: inout SettingsReader) -> [APIKey] {
        let setting = "server.admin_keys"
        guard let given = reader.given(setting) else { return keys }
        let admins = SettingsReader.entries(of: given.text)
        for (index, admin) in admins.enumerated() where !keys.contains(where: { $0.name == admin }) {
            reader.add(.badValue, setting, "entry \(index + 1) names no key in PENGUIN_API_KEYS", at: given.origin)
        }
        return keys.map { key in
            APIKey(name: key.name, key: key.key, isAdmin: key.name.map(admins.contains) ?? false)
        }
    }
}
