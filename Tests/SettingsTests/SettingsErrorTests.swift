import Foundation
import Testing

@testable import Settings

@Suite(.timeLimit(.minutes(1)))
struct SettingsErrorTests {
    /// The error that these settings give, with the file's place shown as FILE.
    private func problems(_ yaml: String, _ environment: [String: String] = [:]) throws -> [String] {
        try withFile(yaml) { file in
            let error = #expect(throws: SettingsError.self) {
                try Settings(file: file, environment: ["HOME": "/home/penguin"].merging(environment) { $1 })
            }
            return try #require(error).problems.map { $0.description.replacing(file.path, with: "FILE") }
        }
    }

    @Test(arguments: [
        (
            "server:\n  port: 70000", [:],
            #"server.port (FILE line 2): "70000" does not fit: expected a whole number from 0 to 65535"#
        ),
        (
            "", ["PORT": "eighty"],
            #"server.port (variable PORT): "eighty" does not fit: expected a whole number from 0 to 65535"#
        ),
        (
            "server: {host: 'a b'}", [:],
            #"server.host (FILE line 1): "a b" does not fit: expected an address or host name"#
        ),
        (
            "server: {host: [a]}", [:],
            "server.host (FILE line 1): expected an address or host name, found a map or list"
        ),
        (
            "", ["PENGUIN_CORS_ORIGINS": "http://a.example/path"],
            #"server.cors_origins (variable PENGUIN_CORS_ORIGINS): "http://a.example/path" does not fit: expected "#
                + "origins such as https://app.example.com, or * for all"
        ),
        (
            "queue: {lease_seconds: 1e3}", [:],
            #"queue.lease_seconds (FILE line 1): "1e3" does not fit: expected a number from 0.1 to 3600"#
        ),
        (
            "queue: {lease_seconds: nan}", [:],
            #"queue.lease_seconds (FILE line 1): "nan" does not fit: expected a number from 0.1 to 3600"#
        ),
        ("log:\n  format: xml", [:], #"log.format (FILE line 2): "xml" does not fit: expected one of text, json"#),
        (
            "worker: {count: 2}", [:],
            #"worker.count (FILE line 1): "2" does not fit: expected a whole number from 0 to 1"#
        ),
        (
            "", ["PENGUIN_HOME": "~other/x"],
            #"storage.home (variable PENGUIN_HOME): "~other/x" does not fit: expected a path"#
        ),
        ("", ["HOME": ""], "storage.home (default): HOME is not set, so ~/.penguin has no place: set PENGUIN_HOME"),
        (
            "redis: {key_prefix: ''}", [:],
            #"redis.key_prefix (FILE line 1): "" does not fit: expected 1 to 64 letters, digits or any of . _ - : { }"#
        ),
        (
            "", ["LOG_LEVEL": "a\nb"],
            #"log.level (variable LOG_LEVEL): "a\nb" does not fit: expected "#
                + "one of trace, debug, info, notice, warning, error, critical"
        ),
    ])
    func `a wrong value is named with its place and what is allowed`(
        yaml: String,
        environment: [String: String],
        problem: String
    ) throws {
        #expect(try self.problems(yaml, environment) == [problem])
    }

    @Test(arguments: [
        (
            "", ["PENGUIN_HEARTBEAT_SECONDS": "10"],
            "queue.heartbeat_seconds (variable PENGUIN_HEARTBEAT_SECONDS): "
                + "10.0 seconds does not fit: expected less than half of queue.lease_seconds (20.0 seconds)"
        ),
        (
            "queue: {lease_seconds: 8}", [:],
            "queue.heartbeat_seconds (default): "
                + "5.0 seconds does not fit: expected less than half of queue.lease_seconds (8.0 seconds)"
        ),
        (
            "llm: {retry_base_seconds: 61}", [:],
            "llm.retry_base_seconds (FILE line 1): "
                + "61.0 seconds does not fit: expected at most llm.retry_cap_seconds (60.0 seconds)"
        ),
    ])
    func `values that do not go together are refused`(
        yaml: String,
        environment: [String: String],
        problem: String
    ) throws {
        #expect(try self.problems(yaml, environment) == [problem])
    }

    @Test(arguments: [
        ("server: {prot: 1}", "server.prot (FILE line 1): unknown key: did you mean server.port?"),
        ("\nport: 1", "port (FILE line 2): unknown key: did you mean server.port?"),
        ("sever: {port: 1}", "sever (FILE line 1): unknown key: did you mean server?"),
        ("server: {concurrency: 1}", "server.concurrency (FILE line 1): unknown key: did you mean worker.concurrency?"),
        ("llm: {model_configs: {}}", "llm.model_configs (FILE line 1): unknown key: did you mean model_configs?"),
        (
            "model_configs: {a/b: {provider: openai, vision: true, temprature: 1}}",
            "model_configs.a/b.temprature (FILE line 1): unknown key: did you mean model_configs.a/b.temperature?"
        ),
        ("server: {something_else: 1}", "server.something_else (FILE line 1): unknown key"),
        ("server: 5", "server (FILE line 1): expected a map of keys"),
        ("model_configs: {m: openai/gpt}", "model_configs.m (FILE line 1): expected a map of keys"),
        ("[1, 2]", "FILE line 1: the file must be a map of sections"),
        ("server: {port: 1}\nserver: {port: 2}", "FILE line 1: the same key twice: server"),
        ("server: {port: 1, port: 2}", "FILE line 1: the same key twice: port"),
        ("a: 1\n---\nb: 2", "FILE line 2: expected a single document in the stream, but found another document"),
    ])
    func `an unknown key is refused and the nearest known one named`(yaml: String, problem: String) throws {
        #expect(try self.problems(yaml).contains(problem))
    }

    @Test func `all problems come together in one text`() throws {
        try withFile("server:\n  prot: 1\n  host: ''\n") { file in
            let environment = ["HOME": "/h", "PORT": "x", "PENGUIN_WORKERS": "-1"]
            let error = #expect(throws: SettingsError.self) { try Settings(file: file, environment: environment) }
            let text = try #require(error).description.replacing(file.path, with: "FILE")
            let expected = """
                4 problems in the configuration:
                - server.prot (FILE line 2): unknown key: did you mean server.port?
                - server.host (FILE line 3): "" does not fit: expected an address or host name
                - server.port (variable PORT): "x" does not fit: expected a whole number from 0 to 65535
                - worker.count (variable PENGUIN_WORKERS): "-1" does not fit: expected a whole number from 0 to 1
                """
            #expect(text == expected)
        }
    }

    @Test func `a file that was named must be there`() throws {
        let missing = URL(filePath: "/nonexistent/penguin.yaml")
        let byArgument = #expect(throws: SettingsError.self) {
            try Settings(file: missing, environment: ["HOME": "/h"])
        }
        #expect(byArgument?.problems.map(\.code) == [.fileMissing])
        let byVariable = #expect(throws: SettingsError.self) {
            try Settings(environment: ["HOME": "/h", "PENGUIN_CONFIG": "~/nothing-here.yaml", "PORT": "x"])
        }
        #expect(byVariable?.problems.map(\.code) == [.fileMissing, .badValue])
        #expect(byVariable?.description.contains("/h/nothing-here.yaml: there is no such file") == true)
    }

    @Test func `what is no configuration file is refused`() throws {
        let folder = #expect(throws: SettingsError.self) {
            try Settings(file: FileManager.default.temporaryDirectory, environment: ["HOME": "/h"])
        }
        #expect(folder?.problems.map(\.code) == [.fileUnreadable])
        let large = #expect(throws: SettingsError.self) {
            try Settings(file: URL(filePath: "/dev/zero"), environment: ["HOME": "/h"])
        }
        #expect(large?.problems.map(\.code) == [.fileUnreadable])
        let bytes = #expect(throws: SettingsError.self) {
            try withFile(Data([0xff, 0xfe, 0xfd])) { try Settings(file: $0, environment: ["HOME": "/h"]) }
        }
        #expect(bytes?.problems.map(\.code) == [.fileMalformed])
    }
}
