package import Domain
import Logging
package import Redis

/// The logs of jobs as they lie in Redis.
package struct ObservedLogs: Sendable {
    /// Logs asked for in one go.
    private static let batch = 32
    private static let patience = Duration.seconds(30)

    private let client: RedisClient
    private let prefix: String

    /// Reads with a client that runs.
    package init(client: RedisClient, prefix: String = "penguin:") {
        self.client = client
        self.prefix = prefix
    }

    /// The logs of these jobs; none for a job whose log is gone.
    package func read(_ jobs: [JobID]) async throws -> [JobID: [ObservedEvent]] {
        var logs: [JobID: [ObservedEvent]] = [:]
        for start in stride(from: 0, to: jobs.count, by: Self.batch) {
            let some = jobs[start..<min(start + Self.batch, jobs.count)]
            let commands = some.map { RedisCommand("XRANGE", .string("\(self.prefix)log:\($0)"), "-", "+") }
            let replies = try await self.client.send(batch: commands, timeout: Self.patience)
            for (job, reply) in zip(some, replies) {
                let events = try reply.get().array?.compactMap(Self.event) ?? []
                if !events.isEmpty { logs[job] = events }
            }
        }
        return logs
    }

    /// An entry is an array of its id and its fields, of which there is one: the frame.
    private static func event(_ entry: RedisValue) -> ObservedEvent? {
        guard let parts = entry.array, parts.count == 2, let id = parts[0].string.flatMap({ EventID($0) }),
            let text = parts[1].array?.last?.string
        else { return nil }
        // A frame that is no JSON is an event of no type.
        let frame = (try? JSON.decode(JSONValue.self, from: text)) ?? .null
        let type = frame["event"]?.string.flatMap { EventType(rawValue: $0) }
        return ObservedEvent(id: id, type: type, data: frame["data"] ?? .null)
    }
}

/// Gives `body` a client of a Redis, for a test's own questions.
package func withRedisClient<R: Sendable>(
    _ url: String,
    _ body: @Sendable @escaping (RedisClient) async throws -> R
) async throws -> R {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let client = RedisClient(try RedisConfiguration(url: url), name: "test", logger: logger)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.run() }
        defer { group.cancelAll() }
        return try await body(client)
    }
}
