import Foundation
import Testing

@testable import Settings

@Suite(.timeLimit(.minutes(1)))
struct SecretsTests {
    private static let secret = "hunter2hunter2hunter2"

    private func error(_ yaml: String, _ environment: [String: String] = [:]) throws -> SettingsError {
        try withFile(yaml) { file in
            let error = #expect(throws: SettingsError.self) {
                try Settings(file: file, environment: ["HOME": "/home/penguin"].merging(environment) { $1 })
            }
            return try #require(error)
        }
    }

    @Test(arguments: [
        ("server:\n  api_keys: [\(secret)]", "PENGUIN_API_KEYS"),
        ("openai_api_key: \(secret)", "OPENAI_API_KEY"),
        ("llm: {api-key: \(secret)}", "OPENAI_API_KEY"),
        ("model_configs: {m: {provider: openai, api_key: \(secret)}}", "api_key_env"),
        ("redis: {password: \(secret)}", "environment"),
        ("redis: {url: 'redis://:\(secret)@127.0.0.1'}", "REDIS_URL"),
        ("redis: {url: 'redis://user:\(secret)/x@127.0.0.1/0'}", "REDIS_URL"),
    ])
    func `a secret in the file is refused, and not repeated`(yaml: String, advice: String) throws {
        let error = try self.error(yaml)
        #expect(error.problems.map(\.code) == [.secretInFile])
        #expect(error.description.contains(advice))
        #expect(!"\(error)".contains(Self.secret))
    }

    @Test(arguments: [
        ("", ["PENGUIN_API_KEYS": "web=hunter2hunter2"], "entry 1 has a key of fewer than 16 characters"),
        ("", ["PENGUIN_API_KEYS": "\(secret),hunter2 hunter2 hunter2"], "entry 2 has a key with a character"),
        ("", ["PENGUIN_API_KEYS": "hunter2/\(secret)=\(secret)"], "entry 1 has a name that is not"),
        ("", ["PENGUIN_API_KEYS": "a=\(secret),b=\(secret)"], "the same key twice"),
        ("", ["PENGUIN_API_KEYS": "a=\(secret),a=\(secret)2"], "the same name twice"),
        ("", ["PENGUIN_API_KEYS": ",,"], "it holds no key"),
        ("", ["PENGUIN_API_KEYS": "a=\(secret)", "PENGUIN_ADMIN_KEYS": "a,\(secret)"], "entry 2 names no key"),
        ("", ["PENGUIN_ADMIN_KEYS": secret], "entry 1 names no key"),
        ("", ["REDIS_URL": "http://:\(secret)@h"], "expected redis://"),
        ("", ["REDIS_URL": secret], "expected redis://"),
        (
            "model_configs: {m: {provider: mine, api_base: 'https://u:\(secret)@h/v1'}}", [:],
            "expected http:// or https://"
        ),
        ("model_configs: {m: {provider: openai, api_key_env: sk-\(secret)}}", [:], "expected the name of a variable"),
        ("redis:\n  url: \"\(secret)", [:], "line"),
    ])
    func `a wrong secret is not repeated in the error`(
        yaml: String,
        environment: [String: String],
        text: String
    ) throws {
        let error = try self.error(yaml, environment)
        #expect(error.description.contains(text))
        #expect(!error.description.contains("hunter2"))
    }

    @Test func `printing and dumping shows no secret`() throws {
        let environment = [
            "HOME": "/h", "PENGUIN_API_KEYS": "web=\(Self.secret)", "REDIS_URL": "redis://:\(Self.secret)@h",
            "OPENAI_API_KEY": Self.secret,
        ]
        let settings = try withFile("") { try Settings(file: $0, environment: environment) }
        var dumped = ""
        dump(settings, to: &dumped)
        let texts = [
            "\(settings)", String(reflecting: settings), dumped, "\(settings.server)", "\(settings.redis)",
            String(reflecting: settings.redis), String(reflecting: settings.server.apiKeys),
        ]
        for text in texts { #expect(!text.contains("hunter2")) }
        #expect("\(settings)".contains("APIKey(web)"))
        #expect(settings.environment["OPENAI_API_KEY"] == Self.secret)
    }

    @Test func `a Redis without a password may stand in the file`() throws {
        for url in ["redis://127.0.0.1:6379/2", "redis://user@h", "redis://[::1]:6379", "unix:///run/redis.sock?db=1"] {
            let settings = try withFile("redis: {url: '\(url)'}") {
                try Settings(file: $0, environment: ["HOME": "/h"])
            }
            #expect(settings.redis.url?.text == url)
        }
    }

    @Test(arguments: [
        ("web=0123456789abcdef", "web", "0123456789abcdef"),
        ("0123456789abcdef", nil, "0123456789abcdef"),
        ("MDEyMzQ1Njc4OWFiY2RlZg==", nil, "MDEyMzQ1Njc4OWFiY2RlZg=="),
        ("ci=MDEyMzQ1Njc4OWFiY2RlZg==", "ci", "MDEyMzQ1Njc4OWFiY2RlZg=="),
    ])
    func `an API key may have a name`(entry: String, name: String?, key: String) {
        #expect(APIKey(entry: entry) == APIKey(name: name, key: key))
        #expect(APIKey(entry: entry).complaint == nil)
    }
}
