import Foundation
import Testing

@testable import Settings

@Suite(.timeLimit(.minutes(1)))
struct SettingsReadingTests {
    private static let home = ["HOME": "/home/penguin"]

    private func settings(_ yaml: String = "", _ environment: [String: String] = [:]) throws -> Settings {
        try withFile(yaml) { file in
            try Settings(file: file, environment: Self.home.merging(environment) { $1 })
        }
    }

    @Test func `nothing set gives the defaults`() throws {
        let settings = try self.settings()
        #expect(settings.server.host == "127.0.0.1")
        #expect(settings.server.port == 8000)
        #expect(settings.server.corsOrigins.isEmpty)
        #expect(settings.server.apiKeys.isEmpty)
        #expect(settings.server.syncTimeout == .seconds(300))
        #expect(settings.server.bodyBytesMax == 1_048_576)
        #expect(settings.server.shutdownGrace == .seconds(25))
        #expect(settings.server.webSocketMessageBytesMax == 1_048_576)
        #expect(settings.storage.home.path == "/home/penguin/.penguin")
        #expect(settings.storage.databaseFile.path == "/home/penguin/.penguin/penguin.db")
        #expect(settings.redis.url == nil)
        #expect(settings.redis.keyPrefix == "penguin:")
        #expect(settings.redis.commandTimeout == .seconds(5))
        #expect(settings.worker.count == 1)
        #expect(settings.worker.concurrency == 64)
        #expect(settings.engine.chatIterationsMax == 5)
        #expect(settings.engine.chatTimeLimit == .seconds(600))
        #expect(settings.log.level == .info)
        #expect(settings.log.format == .text)
    }

    @Test func `nothing set gives the defaults of queue and models`() throws {
        let settings = try self.settings()
        #expect(settings.queue.lease == .seconds(20))
        #expect(settings.queue.heartbeatInterval == .seconds(5))
        #expect(settings.queue.reapInterval == .seconds(5))
        #expect(settings.queue.lostMax == 3)
        #expect(settings.queue.redispatchAfter == .seconds(10))
        #expect(settings.queue.reclaimIdle == .seconds(30))
        #expect(settings.queue.cancelGrace == .seconds(15))
        #expect(settings.queue.dispatchWindowMin == 4)
        #expect(settings.queue.logEventsMax == 50_000)
        #expect(settings.queue.logTimeToLive == .seconds(120))
        #expect(settings.queue.ledgerCheckInterval == .seconds(5))
        #expect(settings.llm.defaultModel == nil)
        #expect(settings.llm.turnAttemptsMax == 5)
        #expect(settings.llm.retryBase == .seconds(1))
        #expect(settings.llm.retryCap == .seconds(60))
        #expect(settings.llm.modelConfigurations.isEmpty)
    }

    @Test(arguments: [
        ("", [:], 8000),
        ("server:\n  port: 9000", [:], 9000),
        ("server:\n  port: 9000", ["PORT": "9100"], 9100),
        ("server:\n  port: 9000", ["PORT": " "], 9000),
        ("server: {port: \"9000\"}", ["PORT": ""], 9000),
        ("server:\n  port:", [:], 8000),
        ("server:\n  port: ~", [:], 8000),
        ("server:", ["PORT": " 0 "], 0),
        ("# only a comment", [:], 8000),
    ])
    func `the environment wins over the file and the file over the default`(
        yaml: String,
        environment: [String: String],
        port: Int
    ) throws {
        #expect(try self.settings(yaml, environment).server.port == port)
    }

    @Test func `every key with a variable is read from the variable`() throws {
        let lists = ["HOST": "0.0.0.0", "PENGUIN_CORS_ORIGINS": "http://a.example, https://b.example:8443 ,"]
        let keys = ["PENGUIN_API_KEYS": "web=0123456789abcdef,fedcba9876543210"]
        let others = ["REDIS_URL": "rediss://:pw@redis.example", "PENGUIN_LEASE_SECONDS": "0.5"]
        let environment = [lists, keys, others, ["PENGUIN_HEARTBEAT_SECONDS": "0.125", "LOG_LEVEL": "WARNING"]]
            .reduce(["LOG_FORMAT": "json"]) { $0.merging($1) { $1 } }
        let settings = try self.settings("", environment)
        #expect(settings.server.host == "0.0.0.0")
        #expect(settings.server.corsOrigins == ["http://a.example", "https://b.example:8443"])
        #expect(settings.server.apiKeys.map(\.name) == ["web", nil])
        #expect(settings.server.apiKeys.map(\.key) == ["0123456789abcdef", "fedcba9876543210"])
        #expect(settings.redis.url?.text == "rediss://:pw@redis.example")
        #expect(settings.queue.lease == .milliseconds(500))
        #expect(settings.queue.heartbeatInterval == .milliseconds(125))
        #expect(settings.log.level == .warning)
        #expect(settings.log.format == .json)
    }

    @Test(
        arguments: [
            ("", ["PENGUIN_ADMIN_KEYS": "web, ops"], [true, false, true, false]),
            ("server: {admin_keys: [ops]}", [:], [false, false, true, false]),
            ("server: {admin_keys: []}", [:], [false, false, false, false]), ("", [:], [false, false, false, false]),
        ] as [(String, [String: String], [Bool])]
    )
    func `the keys that are named so are an administrator's`(
        yaml: String,
        environment: [String: String],
        areAdmins: [Bool]
    ) throws {
        let keys = [
            "PENGUIN_API_KEYS": "web=0123456789abcdef,ci=1123456789abcdef,ops=2123456789abcdef,fedcba9876543210"
        ]
        let settings = try self.settings(yaml, environment.merging(keys) { $1 })
        #expect(settings.server.apiKeys.map(\.isAdmin) == areAdmins)
    }

    @Test(arguments: [
        ("server:\n  cors_origins: [http://a.example, http://b.example]", ["http://a.example", "http://b.example"]),
        ("server:\n  cors_origins: http://a.example, http://b.example", ["http://a.example", "http://b.example"]),
        ("server:\n  cors_origins: \"*\"", ["*"]),
        ("server:\n  cors_origins: []", []),
    ])
    func `a list is a YAML list or separated by commas`(yaml: String, origins: [String]) throws {
        #expect(try self.settings(yaml).server.corsOrigins == origins)
    }

    @Test(arguments: [
        ([:], "", Settings.Log.Level.info),
        (["DEBUG": "true"], "", .debug),
        (["DEBUG": "1"], "log: {level: error}", .debug),
        (["DEBUG": "false"], "log: {level: error}", .error),
        (["DEBUG": "app:*"], "", .info),
        (["DEBUG": "true", "LOG_LEVEL": "trace"], "", .trace),
    ])
    func `DEBUG means level debug unless LOG_LEVEL is set`(
        environment: [String: String],
        yaml: String,
        level: Settings.Log.Level
    ) throws {
        #expect(try self.settings(yaml, environment).log.level == level)
    }

    @Test(arguments: [
        (["PENGUIN_HOME": "~/data"], "/home/penguin/data", "/home/penguin/data/penguin.db"),
        (["PENGUIN_HOME": "~"], "/home/penguin", "/home/penguin/penguin.db"),
        (["PENGUIN_HOME": "/srv/penguin/"], "/srv/penguin", "/srv/penguin/penguin.db"),
        (["PENGUIN_DATABASE": "/mnt/x/jobs.db"], "/home/penguin/.penguin", "/mnt/x/jobs.db"),
    ])
    func `the database is in the data folder unless told otherwise`(
        environment: [String: String],
        home: String,
        database: String
    ) throws {
        let storage = try self.settings("", environment).storage
        #expect(storage.home.path == home)
        #expect(storage.databaseFile.path == database)
    }

    @Test func `a relative path starts at the working directory`() throws {
        let storage = try self.settings("", ["PENGUIN_HOME": "data"]).storage
        #expect(storage.home.path == FileManager.default.currentDirectoryPath + "/data")
        #expect(storage.databaseFile.path == FileManager.default.currentDirectoryPath + "/data/penguin.db")
    }

    @Test func `PENGUIN_CONFIG names the file and the argument wins over it`() throws {
        try withFile("server: {port: 1}") { first in
            try withFile("server: {port: 2}") { second in
                let environment = Self.home.merging(["PENGUIN_CONFIG": first.path]) { $1 }
                let byVariable = try Settings(environment: environment)
                #expect(byVariable.server.port == 1)
                #expect(byVariable.configurationFile == first)
                #expect(try Settings(file: second, environment: environment).server.port == 2)
            }
        }
    }

    @Test func `without a name the default place is read if there is something`() throws {
        let settings = try Settings(environment: Self.home)
        let path = FileManager.default.currentDirectoryPath + "/config/penguin.yaml"
        #expect(settings.configurationFile?.path == (FileManager.default.fileExists(atPath: path) ? path : nil))
    }

    @Test func `only the variables of the model catalogue are kept`() throws {
        let kept = ["OPENAI_API_KEY": "a", "ANTHROPIC_BASE_URL": "b", "OPENROUTER_SITE_URL": "c", "MY_MODEL": "d"]
        let dropped = ["PATH": "/bin", "PENGUIN_API_KEYS": "0123456789abcdef", "OTHER": "x", "GROQ_API_KEY": ""]
        let yaml = "model_configs: {m: {provider: mine, api_base: 'http://127.0.0.1:1/v1', api_key_env: MY_MODEL}}"
        #expect(try self.settings(yaml, kept.merging(dropped) { $1 }).environment == kept)
    }

    @Test func `every row of the table is read and has a default that fits`() throws {
        let yaml = "{model_configs: {m: {provider: openai}}, tenants: {t: {}}}"
        try withFile(yaml) { file in
            var reader = SettingsReader(file: file, environment: Self.home)
            _ = Settings.Server(reading: &reader)
            _ = Settings.Storage(reading: &reader)
            _ = Settings.Redis(reading: &reader)
            _ = Settings.Worker(reading: &reader)
            _ = Settings.Queue(reading: &reader)
            _ = Settings.Tenant.all(reading: &reader)
            _ = Settings.Engine(reading: &reader)
            _ = Settings.LLM(reading: &reader)
            _ = Settings.Log(reading: &reader)
            #expect(reader.problems.isEmpty)
            #expect(reader.namesRead == Set(SettingKey.all.map(\.name)))
        }
    }

    @Test func `every row says what it means and has its unit in its name or its column`() {
        for key in SettingKey.all {
            #expect(key.summary.hasSuffix("."), "\(key.name)")
            #expect(!key.name.hasSuffix("_seconds") || key.unit == "s", "\(key.name)")
            #expect(!key.name.contains("bytes") || key.unit == "bytes", "\(key.name)")
        }
        let variables = SettingKey.all.compactMap(\.variable)
        #expect(Set(variables).count == variables.count)
    }
}
