import Domain
import Logging
import Queue
import Redis
import ServiceLifecycle
import Worker

/// A part that runs until it is cancelled, as a service: a graceful shutdown, when its turn comes, cancels it.
struct UntilShutdown: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.body() }
        } catch is CancellationError {
            // The end that was asked for.
        }
    }
}

/// The worker as a service: a graceful shutdown drains it.
struct WorkerService: Service {
    let worker: JobWorker

    func run() async throws { try await self.worker.run() }
}

/// A service whose end is not the end of the process: a worker that was drained leaves its server standing.
struct Outlived: Service {
    let service: any Service

    func run() async throws {
        try await self.service.run()
        try? await gracefulShutdown()
    }
}

/// Looks at Redis once it can be reached: makes the streams, and refuses one that would lose running jobs' events.
struct RedisCheck: Service {
    private static let retryAfter = Duration.seconds(1)

    let queue: JobQueue
    let logger: Logger

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await self.queue.checkRedis()
                    try await self.queue.streams.createGroups()
                    break
                } catch let error as QueueError {
                    throw ServerError(error.message)
                } catch {
                    self.logger.warning("Redis cannot be used yet", metadata: [LogKeys.error: "\(error)"])
                    try? await Task.sleep(for: Self.retryAfter)
                }
            }
        }
        try? await gracefulShutdown()
    }
}
