import Domain
import HTTPClient
import Logging
import Queue
import Redis
import ServiceLifecycle
import Store
import Worker

extension Parts {
    /// What every process runs; ended last.
    var backgroundServices: [any Service] {
        [
            UntilShutdown { try await self.redis.run() },
            UntilShutdown { try await self.subscriber.run() },
            RedisCheck(queue: self.queue, logger: self.logger),
            UntilShutdown { await self.queue.dispatcher.run() },
            UntilShutdown { await self.reaper.run() },
            UntilShutdown { await self.queue.admission.run() },
            UntilShutdown { await Janitor(queue: self.queue, logger: self.logger).run() },
        ]
    }

    /// A worker with its connection, which outlives it.
    func services(of worker: JobWorker, _ blocking: RedisClient) -> [any Service] {
        [
            UntilShutdown { try await self.keepRunning(blocking) },
            WorkerService(worker: worker),
        ]
    }

    /// The worker closes its connection when it drains; that is not the end of the process.
    private func keepRunning(_ client: RedisClient) async throws {
        try await client.run()
        while !Task.isCancelled { try await Task.sleep(for: .seconds(3600)) }
    }

    func close() async {
        await self.client.shutdown()
        do {
            try self.database.close()
        } catch {
            self.logger.warning("The database did not close", metadata: [LogKeys.error: "\(error)"])
        }
    }
}
