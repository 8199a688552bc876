import Domain
import Events
import Foundation
import Logging
import Queue
import Redis
import ServiceLifecycle
import Store
import TestSupport
import Worker

/// A queue as a process of Penguin has it, on a Redis and a database of its own: what submits, and what runs `noop` jobs.
struct QueueStand: Sendable {
    /// Jobs that the worker of this process runs at once.
    static let slots = 512

    let server: RedisServer
    let folder: URL
    let database: SQLiteDatabase
    let redis: RedisClient
    let subscriber: RedisSubscriber
    let queue: JobQueue
    let relay: EventRelay
    private let address: RedisConfiguration

    private static let logger: Logger = {
        var logger = Logger(label: "penguin-bench")
        logger.logLevel = .error
        return logger
    }()

    var databaseFile: URL { self.folder.appendingPathComponent("penguin.db") }

    /// Gives `body` a stand whose background services run, and takes everything down afterwards.
    static func with<R>(in folder: URL, _ body: (QueueStand) async throws -> R) async throws -> R {
        try await withRedis(arguments: ["--appendfsync", "everysec"], appendOnly: true) { server in
            let stand = try QueueStand(server: server, folder: folder)
            async let redis: Void = stand.redis.run()
            async let subscriber: Void = stand.subscriber.run()
            let outcome = await withTaskGroup { group in
                group.addTask { await stand.queue.dispatcher.run() }
                group.addTask { await Reaper(queue: stand.queue, logger: Self.logger).run() }
                group.addTask { await stand.queue.admission.run() }
                group.addTask { await stand.relay.run() }
                let outcome = await Self.outcome { try await body(stand) }
                group.cancelAll()
                return outcome
            }
            await stand.redis.close()
            await stand.subscriber.close()
            try await redis
            try await subscriber
            try stand.database.close()
            return try outcome.get()
        }
    }

    private static func outcome<R>(_ body: () async throws -> R) async -> Result<R, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    private init(server: RedisServer, folder: URL) throws {
        self.server = server
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.address = try RedisConfiguration(url: server.url)
        self.database = try SQLiteDatabase(file: folder.appendingPathComponent("penguin.db"))
        self.redis = RedisClient(self.address, name: "bench", logger: Self.logger)
        self.subscriber = RedisSubscriber(self.address, name: "bench", logger: Self.logger)
        var configuration = QueueConfiguration()
        configuration.queuedMax = .max
        configuration.tenantQueuedMax = .max
        self.queue = JobQueue(
            database: self.database,
            redis: self.redis,
            log: EventLog(redis: self.redis, keys: EventKeys(prefix: "penguin:"), eventsMax: 50_000),
            keys: QueueKeys(prefix: "penguin:"),
            configuration: configuration,
            logger: Self.logger
        )
        self.relay = EventRelay(log: self.queue.log, subscriber: self.subscriber, silence: .seconds(5))
    }

    /// Runs a worker in this process around `body`.
    func withWorker<R>(_ handler: any JobHandler = NoopHandler(), _ body: () async throws -> R) async throws -> R {
        try await self.queue.streams.createGroups()
        let blocking = RedisClient(self.address, name: "bench-worker", logger: Self.logger)
        let worker = JobWorker(
            slots: Self.slots,
            queue: self.queue,
            handlers: [.noop: handler],
            blocking: blocking,
            subscriber: self.subscriber,
            grace: .seconds(5),
            logger: Self.logger
        )
        async let connection: Void = blocking.run()
        let running = Task { try await worker.run() }
        let outcome = await Self.outcome(body)
        running.cancel()
        // Cancelled, so whatever it throws is that.
        _ = await running.result
        await blocking.close()
        try await connection
        return try outcome.get()
    }

    /// Runs so many `penguin-worker` processes around `body`, which begins when all of them are registered.
    ///
    /// They ask the model provider at the port `model`, if any.
    func withWorkers<R>(
        _ count: Int,
        model: Int? = nil,
        _ body: ([PenguinProcess]) async throws -> R
    ) async throws -> R {
        try await self.queue.streams.createGroups()
        var workers: [PenguinProcess] = []
        for _ in 0..<count { workers.append(try await self.launchWorker(model: model)) }
        let outcome = await Self.outcome {
            try await self.waitForWorkers(count)
            return try await body(workers)
        }
        for worker in workers { try await worker.kill() }
        return try outcome.get()
    }

    func launchWorker(model: Int? = nil) async throws -> PenguinProcess {
        var environment = [
            "HOME": self.folder.path,
            "PENGUIN_HOME": self.folder.path,
            "PENGUIN_DATABASE": self.databaseFile.path,
            "REDIS_URL": self.server.url,
            "PENGUIN_WORKER_CONCURRENCY": "\(Self.slots)",
            "PENGUIN_LOG_LEVEL": "error",
        ]
        if let model {
            environment["OPENAI_BASE_URL"] = "http://127.0.0.1:\(model)/v1"
            environment["OPENAI_API_KEY"] = "bench"
            environment["PENGUIN_DEFAULT_MODEL"] = "openai/fake"
        }
        return try await PenguinProcess.launch(.worker, in: self.folder, environment: environment)
    }

    func waitForWorkers(_ count: Int) async throws {
        try await eventually(within: .seconds(20), "\(count) workers are there") {
            try await self.database.read { try Workers($0).live(within: .seconds(20)).count } >= count
        }
    }
}
