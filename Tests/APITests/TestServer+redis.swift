import Redis
import TestSupport

extension TestServer {
    /// What Redis has under a pattern.
    func redisKeys(_ pattern: String) async throws -> [String] {
        let client = RedisClient(try RedisConfiguration(url: self.redis.url), name: "test", logger: quietLogger)
        async let running: Void = client.run()
        let reply = try await client.send(RedisCommand("KEYS", .string(pattern)))
        await client.close()
        try await running
        return (reply.array ?? []).compactMap(\.string)
    }
}
