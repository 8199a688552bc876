package import Domain
import Engine
import Events
package import Logging
package import Queue
package import Redis
import ServiceLifecycle
import Store

/// A worker: the roles that claim, run, keep alive and settle jobs, one file each, until it is told to stop.
///
/// Nothing in its memory is needed after its death: whoever lives on takes its jobs when the lease runs out.
package struct JobWorker: Sendable {
    private static let registrationsMax = 20
    /// A worker whose reads have not returned for so long is stuck.
    private static let silenceMax = Duration.seconds(30)

    package let id: WorkerID
    private let queue: JobQueue
    private let consumer: Consumer
    private let heartbeat: Heartbeat
    private let reclaimer: Reclaimer
    private let subscriber: RedisSubscriber
    private let running: RunningJobs
    /// Called when somebody wants this worker to end, and not its process.
    private let mustDrain: WakeUp
    private let grace: Duration
    private let logger: Logger

    /// A worker that runs up to `slots` jobs at once; `blocking` is a connection of its own.
    ///
    /// When told to stop it gives running jobs `grace` to end, and then back to the queue.
    package init(
        id: WorkerID = WorkerID(),
        slots: Int,
        queue: JobQueue,
        handlers: [JobKind: any JobHandler],
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
        let runner = JobRunner(queue: queue, handlers: handlers, running: self.running, logger: logger)
        self.consumer = Consumer(
            worker: id,
            queue: queue,
            blocking: blocking,
            running: self.running,
            runner: runner,
            logger: logger
        )
        let mustDrain = WakeUp()
        self.mustDrain = mustDrain
        self.heartbeat = Heartbeat(worker: id, slots: slots, queue: queue, running: self.running, logger: logger) {
            mustDrain.call()
        }
        self.reclaimer = Reclaimer(worker: id, queue: queue, consumer: self.consumer, logger: logger)
    }

    /// Works until a graceful shutdown has given everything back.
    package func run() async throws {
        try await self.register()
        await withTaskGroup { group in
            group.addTask { await self.heartbeat.run() }
            group.addTask { await self.listenForOrders() }
            group.addTask { await self.reclaimer.run() }
            await self.consumeUntilDrained()
            group.cancelAll()
        }
        await self.leave()
    }

    /// Enters the ledger, again and again while somebody else holds the database.
    private func register() async throws {
        var attempt = 1
        while true {
            do {
                return try await self.heartbeat.register()
            } catch let error as StoreError where error.isTransient && attempt < Self.registrationsMax {
                self.logger.warning("The worker is not registered yet", metadata: [LogKeys.error: "\(error)"])
                attempt += 1
                try await Task.sleep(for: .milliseconds(500) * Double.random(in: 0.5...1))
            }
        }
    }

    /// Whether it beats and, with slots free, reads: an orchestrator may restart one that does neither.
    package var isAlive: Bool {
        self.heartbeat.age < self.queue.configuration.lease
            && (self.consumer.isEnding || self.consumer.age < Self.silenceMax)
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
            group.addTask {
                await self.mustDrain.wait()
                if !Task.isCancelled { await self.drain() }
            }
            // All return once the consumer does: when it has stopped reading and its last job has ended.
            await self.consumer.hasEnded.wait()
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

    private func listenForOrders() async {
        var subscription: RedisSubscription?
        while subscription == nil, !Task.isCancelled {
            subscription = try? await self.queue.listenForOrders(on: self.subscriber) {
                [id, running, mustDrain] order in
                switch order {
                case .cancel(let job): running.interrupt(job, .cancelled)
                case .drain(let worker): if worker == id { mustDrain.call() }
                }
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
