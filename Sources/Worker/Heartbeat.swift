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
    private let isDraining = Mutex(false)

    init(worker: WorkerID, slots: Int, queue: JobQueue, running: RunningJobs, logger: Logger) {
        self.worker = worker
        self.slots = slots
        self.queue = queue
        self.running = running
        self.logger = logger
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

    /// From now on the worker is counted as leaving.
    func drain() { self.isDraining.withLock { $0 = true } }

    /// Beats until cancelled.
    func run() async {
        var lastBeat = ContinuousClock.now
        let giveUpAfter = self.queue.configuration.lease * (2.0 / 3)
        while !Task.isCancelled {
            try? await Task.sleep(for: self.queue.configuration.heartbeat * Double.random(in: 0.9...1))
            guard !Task.isCancelled else { return }
            let began = ContinuousClock.now
            do {
                // Late already: the jobs may be somebody else's by now.
                if lastBeat.duration(to: began) > giveUpAfter { self.giveUp() }
                try await self.beat()
                lastBeat = began
            } catch {
                self.logger.warning("A heartbeat failed", metadata: [LogKeys.error: "\(error)"])
                if lastBeat.duration(to: .now) > giveUpAfter { self.giveUp() }
            }
        }
    }

    private func beat() async throws {
        let (worker, count) = (self.worker, self.running.count)
        let isDraining = self.isDraining.withLock { $0 }
        do {
            let cancels = try await self.queue.database.write(.relaxed) { connection in
                try Workers(connection).beat(worker, running: count, draining: isDraining)
            }
            for job in cancels { self.running.interrupt(job, .cancelled) }
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
