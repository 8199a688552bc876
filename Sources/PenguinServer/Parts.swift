import CoreMetrics
import Domain
import Engine
import Events
import Foundation
import HTTPClient
import LLM
import Logging
import NIOCore
import PenguinAPI
import PenguinMetrics
import Queue
import Redis
import Settings
import Store
import Worker

/// Everything a process of Penguin consists of, built once and passed down; there is no other global.
struct Parts: Sendable {
    let settings: Settings
    let logger: Logger
    let instruments: Instruments
    let database: SQLiteDatabase
    let redisConfiguration: RedisConfiguration
    let redis: RedisClient
    let subscriber: RedisSubscriber
    let log: EventLog
    let queue: JobQueue
    let reaper: Reaper
    let client: HTTPClient
    let catalogue: ModelCatalogue

    /// Builds the parts; nothing runs yet.
    ///
    /// Throws what is wrong with the settings or the database.
    init(_ settings: Settings, redisURL: String, logger: Logger) async throws {
        self.settings = settings
        self.logger = logger
        try DataFolder.make(settings.storage.databaseFile.deletingLastPathComponent())
        self.instruments = Instruments()
        let registry = self.instruments.registry
        self.database = try SQLiteDatabase(file: settings.storage.databaseFile, metrics: registry)
        var redis = try RedisConfiguration(url: redisURL)
        redis.commandTimeout = settings.redis.commandTimeout
        self.redisConfiguration = redis
        self.redis = RedisClient(
            redis,
            name: "penguin",
            roundTrips: CoreMetrics.Timer(label: "penguin_redis_round_trip", factory: registry),
            logger: logger
        )
        self.subscriber = RedisSubscriber(redis, name: "penguin-subscriber", logger: logger)
        let prefix = settings.redis.keyPrefix
        self.log = EventLog(
            redis: self.redis,
            keys: EventKeys(prefix: prefix),
            eventsMax: settings.queue.logEventsMax,
            metrics: registry
        )
        self.queue = JobQueue(
            database: self.database,
            redis: self.redis,
            log: self.log,
            keys: QueueKeys(prefix: prefix),
            configuration: QueueConfiguration(settings),
            metrics: QueueMetrics(registry),
            logger: logger
        )
        self.reaper = Reaper(queue: self.queue, logger: logger)
        self.client = HTTPClient()
        self.catalogue = try await Self.catalogue(settings, client: self.client)
    }

    private static func catalogue(_ settings: Settings, client: HTTPClient) async throws -> ModelCatalogue {
        let localModels = await LocalModelServer.models(client: client, environment: settings.environment)
        return try ModelCatalogue(
            configurations: settings.llm.modelConfigurations,
            defaultModel: settings.llm.defaultModel,
            environment: settings.environment,
            localModels: localModels
        )
    }

    func penguin(relay: EventRelay) -> Penguin {
        self.instruments.watch(self, relay: relay)
        return Penguin(
            queue: self.queue,
            relay: relay,
            redis: self.redis,
            catalogue: self.catalogue,
            metrics: { [registry = self.instruments.registry] in await registry.exposition() },
            defaults: .init(
                chatIterationsMax: self.settings.engine.chatIterationsMax,
                syncTimeout: self.settings.server.syncTimeout
            )
        )
    }

    func relay() -> EventRelay {
        EventRelay(log: self.log, subscriber: self.subscriber, silence: self.settings.queue.ledgerCheckInterval)
    }

    /// A worker and the connection on which it waits for jobs.
    func worker() -> (worker: JobWorker, blocking: RedisClient) {
        let blocking = RedisClient(self.redisConfiguration, name: "penguin-worker", logger: self.logger)
        let engine = Engine(
            provider: ModelRouter(client: self.client, environment: self.settings.environment),
            retries: self.queue.configuration.retries
        )
        let chat = ChatHandler(
            database: self.database,
            engine: engine,
            catalogue: self.catalogue,
            timeLimit: self.settings.engine.chatTimeLimit
        )
        let worker = JobWorker(
            slots: self.settings.worker.concurrency,
            queue: self.queue,
            handlers: [.chat: chat, .workflow: WorkflowHandler(), .noop: NoopHandler()],
            blocking: blocking,
            subscriber: self.subscriber,
            grace: self.settings.server.shutdownGrace,
            logger: self.logger
        )
        return (worker, blocking)
    }
}

extension QueueConfiguration {
    init(_ all: Settings) {
        self.init()
        let settings = all.queue
        self.retries = RetryPolicy(
            attemptsMax: all.llm.turnAttemptsMax,
            base: all.llm.retryBase,
            cap: all.llm.retryCap,
            lostMax: settings.lostMax
        )
        self.lease = settings.lease
        self.heartbeat = settings.heartbeatInterval
        self.reapInterval = settings.reapInterval
        self.redispatchAfter = settings.redispatchAfter
        self.reclaimIdle = settings.reclaimIdle
        self.cancelGrace = settings.cancelGrace
        self.dispatchWindowMin = settings.dispatchWindowMin
        self.logTTL = settings.logTimeToLive
        self.retention = settings.retention
        self.queuedMax = settings.queuedMax
        self.tenantQueuedMax = settings.tenantQueuedMax
        self.laneMax = settings.laneMax
        self.redisMemoryMax = settings.redisMemoryMax
        self.share = Share(runningMax: settings.tenantRunningMax)
        for tenant in all.tenants {
            self.shares[TenantID(rawValue: tenant.name)] = Share(
                weight: tenant.weight,
                runningMax: tenant.runningMax ?? settings.tenantRunningMax
            )
        }
    }
}
