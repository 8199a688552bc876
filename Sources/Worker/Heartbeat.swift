import Domain
import Foundation
import Engine
import Logging
import Queue
import Store
import Synchronization

/// The role that keeps the leases: one statement now and then for all jobs of the worker.
///
/// The answer names the jobs that somebody wants cancelled. A worker that could not beat for two thirds of the lease gives
/// up its runs before anybody else may take them.
final class Heartbeat: Sendable {
    private let worker: WorkerID
    private let slots: Int
    private let queue: JobQueue
    private let running: RunningJobs
    private let logger: Logger
    private let onDrain: @Sendable () -> Void
    private let isDraining = Mutex(false)
    /// When the last beat that the database took was begun.
    private let lastBeat = Mutex(ContinuousClock.now)

    init(
        worker: WorkerID,
        slots: Int,
        queue: JobQueue,
        running: RunningJobs,
        logger: Logger,
        onDrain: @escaping @Sendable () -> Void
    ) {
        self.worker = worker
        self.slots = slots
        self.queue = queue
        self.running = running
        self.logger = logger
        self.onDrain = onDrain
    }

    /// Enters the worker into the ledger, which makes its slots count.
    func register() async throws {
        let (worker, slots) = (self.worker, self.slots)
        let process = ProcessInfo.processInfo
        let (host, pid) = (process.hostName, Int(process.processIdentifier))
        try await self.queue.database.write(.relaxed) { connection in
            try Workers(connection).register(
                worker,
                host: host,
                pid: pid,
                version: PenguinVersion.current,
                slots: slots
            )
        }
        self.queue.dispatcher.noteQueued()
    }

    /// How long ago the last beat began that the database took.
    var age: Duration { self.lastBeat.withLock { $0 }.duration(to: .now) }

    /// From now on the worker is counted as leaving.
    func drain() { self.isDraining.withLock { $0 = true } }

    /// Beats until cancelled.
    func run() async {
        self.lastBeat.withLock { $0 = .now }
        await withTaskGroup { group in
            group.addTask { await self.watch() }
            await self.beatOnAndOn()
            group.cancelAll()
        }
    }

    private func beatOnAndOn() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: self.queue.configuration.heartbeat * Double.random(in: 0.9...1))
            guard !Task.isCancelled else { return }
            let began = ContinuousClock.now
            do {
                // Late already: the jobs may be somebody else's by now.
                if self.giveUpAt <= began { self.giveUp() }
                try await self.beat()
                self.lastBeat.withLock { $0 = began }
            } catch {
                self.logger.warning("A heartbeat failed", metadata: [LogKeys.error: "\(error)"])
            }
        }
    }

    /// Gives up in time also while a beat is under way that does not return.
    private func watch() async {
        while !Task.isCancelled {
            let due = self.giveUpAt
            if due <= .now { self.giveUp() }
            try? await Task.sleep(until: max(due, .now + self.queue.configuration.heartbeat))
        }
    }

    private var giveUpAt: ContinuousClock.Instant {
        self.lastBeat.withLock { $0 } + self.queue.configuration.lease * (2.0 / 3)
    }

    private func beat() async throws {
        let (worker, figures) = (self.worker, self.running.figures)
        let isDraining = self.isDraining.withLock { $0 }
        do {
            let orders = try await self.queue.database.write(.relaxed) { connection in
                try Workers(connection).beat(worker, figures, draining: isDraining)
            }
            for job in orders.cancel { self.running.interrupt(job, .cancelled) }
            if orders.drain { self.onDrain() }
        } catch {
            guard error.code == .notFound else { throw error }
            self.giveUp()
            try await self.register()
        }
    }

    private func giveUp() {
        guard self.running.count > 0 else { return }
        self.logger.error("The leases may be lost, runs are given up", metadata: ["running": "\(self.running.count)"])
        self.running.interruptAll(.leaseLost)
    }
}
