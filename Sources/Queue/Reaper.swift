import Domain
import Events
package import Logging
import Store

/// Looks for what a death has left: lost leases, cancels nobody obeys, ends nobody announced.
///
/// Every process has one.
package struct Reaper: Sendable {
    /// Rows looked at in one go.
    private static let batchMax = 256
    /// Workers' rows are kept this long after their last heartbeat, for people to look at.
    private static let silentWorkersKept = Duration.seconds(3600)

    private let queue: JobQueue
    private let logger: Logger

    package init(queue: JobQueue, logger: Logger) {
        self.queue = queue
        self.logger = logger
    }

    /// Reaps every `reapInterval`, jittered so that many processes do not do it at once, until cancelled.
    package func run() async {
        while !Task.isCancelled {
            await self.pass()
            try? await Task.sleep(for: self.queue.configuration.reapInterval * Double.random(in: 0.75...1.25))
        }
    }

    /// One round; what fails in it keeps nothing else from being done, and is done in the next.
    package func pass() async {
        await self.attempt("take lost jobs", self.takeLostJobs)
        await self.attempt("shut out the deaf", self.shutOutTheDeaf)
        await self.attempt("announce the ended", self.announceTheEnded)
        await self.attempt("forget silent workers") {
            try await self.queue.database.write(.relaxed) { connection in
                try Workers(connection).removeSilent(for: Self.silentWorkersKept)
            }
        }
    }

    private func attempt(_ what: String, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            self.logger.warning(
                "Reaping failed, will be tried again",
                metadata: ["what": "\(what)", LogKeys.error: "\(error)"]
            )
        }
    }

    private func takeLostJobs() async throws {
        let configuration = self.queue.configuration
        let lost = try await self.queue.database.write(.durable) { connection in
            try Ledger(connection).reap(
                lease: configuration.lease,
                lostMax: configuration.lostMax,
                limit: Self.batchMax
            )
        }
        for job in lost {
            self.logger.warning(
                "A job lost its worker",
                metadata: [LogKeys.job: "\(job.id)", "state": "\(job.state.rawValue)"]
            )
            await self.fence(job)
        }
        if !lost.isEmpty { self.queue.dispatcher.noteQueued() }
    }

    /// Writes the first event of the new epoch at once: from then on Redis refuses the old worker's.
    private func fence(_ job: LostJob) async {
        let id = EventID(epoch: job.epoch, sequence: 0)
        if job.state == .dead { return await self.queue.announceFromLedger(job.id, at: id) }
        let data = EventData.Attempt(jobID: job.id, attempt: job.attempt, reason: "lost")
        do {
            _ = try await self.queue.log.append([EventFrame(id: id, type: .attempt, data: data)], to: job.id)
        } catch {
            self.logger.debug("A lost job's log is not fenced", metadata: [LogKeys.error: "\(error)"])
        }
    }

    private func shutOutTheDeaf() async throws {
        let grace = self.queue.configuration.cancelGrace
        let overdue = try await self.queue.database.read { connection in
            try Ledger(connection).overdueCancels(grace: grace, limit: Self.batchMax)
        }
        for job in overdue {
            guard let id = try await self.shutOut(job) else { continue }
            await self.queue.announceFromLedger(job.id, at: id)
            self.queue.dispatcher.noteQueued()
        }
    }

    /// Where the terminal event goes; nil when the job has moved on: its worker has ended it after all, or another reaper.
    private func shutOut(_ job: Job) async throws -> EventID? {
        let ending = Ending(state: .cancelled, stopReason: .cancelled)
        do {
            return try await self.queue.database.write(.durable) { try Ledger($0).end(job, ending) }
        } catch  where error.code == .fenced {
            return nil
        }
    }

    private func announceTheEnded() async throws {
        let age = self.queue.configuration.reapInterval
        let jobs = try await self.queue.database.read { connection in
            try Ledger(connection).unannounced(olderThan: age, limit: Self.batchMax)
        }
        for job in jobs {
            let last = try await self.queue.log.last(of: job.id)
            if last == nil || last?.type.isTerminal == true {
                // Nothing to write to, or written already and only not noted.
                try await self.queue.database.write(.relaxed) { try Ledger($0).announced(job.id) }
            } else if let last {
                await self.queue.announce(job, at: job.lateEnd(after: last.id))
            }
        }
    }
}
