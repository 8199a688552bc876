import Foundation
import Logging
import Redis
import TestSupport

/// What Redis Streams alone could carry: an entry added, read by a group, acknowledged and deleted, nothing else.
enum StreamCeiling {
    private static let batch = 64

    /// Entries per second on one connection, 64 in a round, with an append-only file as the embedded Redis has.
    static func measure(count: Int) async throws -> Figure.Ceiling {
        let rate = try await withRedis(arguments: ["--appendfsync", "everysec"], appendOnly: true) { server in
            var logger = Logger(label: "penguin-bench")
            logger.logLevel = .error
            let redis = RedisClient(try RedisConfiguration(url: server.url), name: "bench", logger: logger)
            async let running: Void = redis.run()
            _ = try await redis.send(RedisCommand("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"))
            let began = Moment.now
            for _ in 0..<(count / self.batch) { try await self.round(on: redis) }
            let seconds = Moment.now.seconds(since: began)
            await redis.close()
            try await running
            return Double(count / self.batch * self.batch) / seconds
        }
        return .init(what: "XADD, XREADGROUP, XACK, XDEL", value: rate)
    }

    private static func round(on redis: RedisClient) async throws {
        let addition = RedisCommand("XADD", "s", "*", "job", "job_0192f0c0a0b07000800000000000dead")
        _ = try await redis.send(batch: Array(repeating: addition, count: self.batch))
        let reply = try await redis.send(
            RedisCommand("XREADGROUP", "GROUP", "g", "c", "COUNT", .int(self.batch), "STREAMS", "s", ">")
        )
        let entries = reply.array?.first?.array?.last?.array ?? []
        let ids = entries.compactMap { $0.array?.first?.string }.map(RedisArgument.string)
        guard ids.count == self.batch else { throw BenchFailure("a read brought \(ids.count) entries") }
        _ = try await redis.send(
            batch: [
                RedisCommand("XACK", arguments: ["s", "g"] + ids), RedisCommand("XDEL", arguments: ["s"] + ids),
            ]
        )
    }
}
