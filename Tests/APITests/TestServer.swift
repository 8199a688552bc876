import Domain
import Foundation
import PenguinServer
import Settings
import TestSupport

/// A whole Penguin in this process, on a Redis, a folder and a provider of its own.
struct TestServer: Sendable {
    let port: Int
    let redis: RedisServer
    let provider: FakeProvider

    var http: HTTPProbe { HTTPProbe(port: self.port) }

    /// A message, answered.
    func chat(_ text: String, _ more: [String: JSONValue] = [:]) async throws -> JSONValue {
        let answer = try await self.http.post("/api/v1/chat/message", more.merging(["text": .string(text)]) { $1 })
        guard answer.status == 200 else { throw NotInTime(description: "\(answer.status): \(answer.body)") }
        return try answer.json
    }

    /// A message accepted, its job's id.
    func submit(_ text: String, _ more: [String: JSONValue] = [:]) async throws -> String {
        let answer = try await self.http.post(
            "/api/v1/chat/message",
            more.merging(["text": .string(text)]) { $1 },
            headers: ["Prefer": "respond-async"]
        )
        guard answer.status == 202, let id = try answer.json["job_id"]?.string else {
            throw NotInTime(description: "\(answer.status): \(answer.body)")
        }
        return id
    }

    /// The job once it is in `state`.
    @discardableResult
    func job(_ id: String, is state: String) async throws -> JSONValue {
        var job = JSONValue.null
        try await eventually(within: .seconds(30), "\(id) is \(state)") {
            job = try await self.http.get("/api/v1/jobs/\(id)").json
            return job["state"]?.string == state
        }
        return job
    }
}

/// Runs a server around `body`; `variables` are added to its environment.
func withServer<Result: Sendable>(
    _ variables: [String: String] = [:],
    _ body: @Sendable @escaping (TestServer) async throws -> Result
) async throws -> Result {
    try await withTemporaryDirectory { folder in
        try await withRedis { redis in
            try await withFakeProvider { provider in
                let settings = try serverSettings(variables, folder: folder, redis: redis, provider: provider)
                let (ports, port) = AsyncStream.makeStream(of: Int.self)
                return try await withThrowingTaskGroup(of: Result?.self) { group in
                    group.addTask {
                        try await WebProcess(settings, logger: quietLogger) { port.yield($0) }.run()
                        return nil
                    }
                    group.addTask {
                        for await port in ports {
                            let server = TestServer(port: port, redis: redis, provider: provider)
                            try await eventually(within: .seconds(30), "a worker is there") {
                                try await server.http.get("/readyz").status == 200
                            }
                            return try await body(server)
                        }
                        return nil
                    }
                    defer { group.cancelAll() }
                    guard let result = try await group.next() ?? nil else {
                        throw NotInTime(description: "the server has ended")
                    }
                    return result
                }
            }
        }
    }
}

private func serverSettings(
    _ variables: [String: String],
    folder: URL,
    redis: RedisServer,
    provider: FakeProvider
) throws -> Settings {
    let file = folder.appendingPathComponent("penguin.yaml")
    try "queue:\n  ledger_check_seconds: 0.5\n".write(to: file, atomically: true, encoding: .utf8)
    let environment = [
        "HOME": folder.path, "PENGUIN_HOME": folder.path, "PENGUIN_CONFIG": file.path, "PORT": "0",
        "REDIS_URL": redis.url, "OPENAI_API_KEY": "sk-test-key", "OPENAI_BASE_URL": provider.baseURL,
        "PENGUIN_DEFAULT_MODEL": "openai/fake", "PENGUIN_RETRY_BASE_SECONDS": "0.01", "PENGUIN_SHUTDOWN_GRACE": "0",
    ]
    return try Settings(environment: environment.merging(variables) { $1 })
}
