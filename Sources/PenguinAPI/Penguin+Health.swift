import Domain
import LLM
import Queue
import Redis
import Store

/// How Penguin is.
public struct Health: Codable, Sendable {
    /// One part's state.
    public struct Part: Codable, Sendable {
        /// Whether it can be used.
        public var ok: Bool
        /// More about it, for people.
        public var detail: String
    }

    /// `healthy` when every part is, else `degraded`.
    public var status: String
    /// Penguin's version.
    public var version: String
    /// Seconds since this process started.
    public var uptimeSeconds: Double
    /// Redis.
    public var redis: Part
    /// The database.
    public var database: Part
    /// At least one live worker.
    public var workers: Part
    /// The model that answers by default.
    public var model: String

    /// Whether requests can be served to their end.
    public var isReady: Bool { self.redis.ok && self.database.ok && self.workers.ok }

    enum CodingKeys: String, CodingKey {
        case status, version
        case uptimeSeconds = "uptime_seconds"
        case redis, database, workers, model
    }
}

extension Penguin {
    private static let pingTimeout = Duration.seconds(2)

    /// Looks at every part; never throws, and takes a few seconds at most.
    public func health() async -> Health {
        async let redis = self.redisHealth()
        async let (database, workers) = self.databaseHealth()
        var health = Health(
            status: "healthy",
            version: PenguinVersion.current,
            uptimeSeconds: self.startedAt.duration(to: .now).seconds,
            redis: await redis,
            database: await database,
            workers: await workers,
            model: self.catalogue.defaultModel.id
        )
        if !health.isReady { health.status = "degraded" }
        return health
    }

    private func redisHealth() async -> Health.Part {
        do {
            _ = try await self.redis.send(RedisCommand("PING"), timeout: Self.pingTimeout)
            return Health.Part(ok: true, detail: "connected")
        } catch {
            return Health.Part(ok: false, detail: "not reachable")
        }
    }

    private func databaseHealth() async -> (Health.Part, Health.Part) {
        let lease = self.queue.configuration.lease
        do {
            let workers = try await self.database.read { try Workers($0).live(within: lease) }
            let slots = workers.map(\.slots).reduce(0, +)
            let detail = workers.isEmpty ? "no live worker" : "\(workers.count) with \(slots) slots"
            return (
                Health.Part(ok: true, detail: "open"), Health.Part(ok: !workers.isEmpty, detail: detail)
            )
        } catch {
            return (Health.Part(ok: false, detail: "cannot be read"), Health.Part(ok: false, detail: "unknown"))
        }
    }
}
