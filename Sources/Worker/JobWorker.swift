package import Domain
import Engine
package import Logging
package import Queue
package import Redis
import ServiceLifecycle
import Store

/// A worker: the roles that claim, run, keep alive and settle jobs, one file each, until it is told to stop.
///
/// Nothing in its memory is needed after its death: whoever lives on takes its jobs when the lease runs out.
package struct JobWorker: Sendable {
    package let id: WorkerID
    private let queue: JobQueue
    private let consumer: Consumer
    private let heartbeat: Heartbeat
    private let reclaimer: Reclaimer
    private let subscriber: RedisSubscriber
    private let running: RunningJobs
    private let grace: Duration
    private let logger: Logger

    /// A worker that runs up to `slots` jobs at once; `blocking` is a connection of its own.
    ///
    /// When told to stop it gives running jobs `grace` to end, and then back to the queue.
    package init(
        id: WorkerID = WorkerID(),
        slots: Int,
        queue: JobQueue,
        attempt: ChatAttempt,
        blocking: RedisClient,
        subscriber: RedisSubscriber,
        grace: Duration,
        logger: Logger
    ) {
        var logger = logger
        logger[metadataKey: LogKeys.worker] = "\(id)"
        self.id = id
        self.queue = queue
        self.running = RunningJobs(slotsMax: slots)
        self.subscriber = subscriber
        self.grace = grace
        self.logger = logger
        let runner = JobRunner(queue: queue, attempt: attempt, running: self.running, logger: logger)
        self.consumer = Consumer(
            worker: id,
            queue: queue,
            blocking: blocking,
            running: self.running,
            runner: runner,
            logger: logger
        )
        self.heartbeat = Heartbeat(worker: id, slots: slots, queue: queue, running: self.running, logger: logger)
        self.reclaimer = Reclaimer(worker: id, queue: queue, consumer: self.consumer, logger: logger)
    }

    /// Works until a graceful shutdown has given everything back.
    package func run() async throws {
        try await self.heartbeat.register()
        await withTaskGroup { group in
            group.addTask { await self.heartbeat.run() }
            group.addTask { await self.listenForCancels() }
            group.addTask { await self.reclaimer.run() }
            await self.consumeUntilDrained()
            group.cancelAll()
        }
        await self.leave()
    }

    /// Interrupts all runs now: their jobs go back to the queue.
    package func releaseAll() {
        self.running.interruptAll(.released)
    }

    private func consumeUntilDrained() async {
        await withTaskGroup { group in
            group.addTask { await self.consumer.run() }
            group.addTask {
                try? await gracefulShutdown()
                await self.drain()
            }
            // The consumer returns when it has stopped reading and its last job has ended.
            _ = await group.next()
            group.cancelAll()
        }
    }

    private func drain() async {
        await self.consumer.stop()
        self.heartbeat.drain()
        self.logger.info("Draining", metadata: ["running": "\(self.running.count)"])
        try? await Task.sleep(for: self.grace)
        self.running.interruptAll(.released)
    }

    private func listenForCancels() async {
        var subscription: RedisSubscription?
        while subscription == nil, !Task.isCancelled {
            subscription = try? await self.queue.listenForCancels(on: self.subscriber) { [running] job in
                running.interrupt(job, .cancelled)
            }
            if subscription == nil { try? await Task.sleep(for: .seconds(1)) }
        }
        // The subscription lives as long as this task.
        try? await Task.sleep(for: .seconds(1_000_000_000))
        subscription?.cancel()
    }

    private func leave() async {
        let id = self.id
        do {
            try await self.queue.streams.leave(id)
            try await self.queue.database.write(.relaxed) { try Workers($0).remove(id) }
        } catch {
            // Its row ages and its consumer stays; nothing depends on either.
            self.logger.debug("Not signed off", metadata: [LogKeys.error: "\(error)"])
        }
    }
}
