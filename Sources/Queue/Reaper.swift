import CoreMetrics
import Domain
import Events
package import Logging
import Redis
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
        await self.attempt("end what was cancelled", self.endStrayCancels)
        await self.attempt("fail parents", self.failParents)
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
        let (lease, lostMax) = (self.queue.configuration.lease, self.queue.configuration.retries.lostMax)
        let doomed = try await self.queue.database.read { connection in
            try Ledger(connection).doomed(lease: lease, lostMax: lostMax, limit: Self.batchMax)
        }
        let kept = await self.queue.partialAnswers(of: doomed)
        let lost = try await self.queue.database.write(.durable) { connection in
            try Ledger(connection).reap(lease: lease, lostMax: lostMax, limit: Self.batchMax, keeping: kept)
        }
        for job in lost {
            self.queue.metrics.lost.increment()
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
        if job.state == .dead {
            await self.queue.announceFromLedger(job.id, at: id)
            if let parent = job.parent { await self.queue.childFailed(of: parent) }
            return
        }
        // With Redis away nobody can write to the log either; the next attempt fences it.
        guard self.queue.redis.isConnected else { return }
        let data = EventData.Attempt(jobID: job.id, attempt: job.attempt, reason: "lost")
        do {
            let attempt = try EventFrame(id: id, type: .attempt, data: data)
            guard try await self.queue.log.append([attempt], to: job.id) == .logMissing else { return }
            // The worker had not begun it: without a log there would be nothing that refuses it.
            guard let row = try await self.queue.database.read({ try Ledger($0).job(job.id) }) else { return }
            try await self.queue.log.recreate(job.id, with: [try row.startFrame(), attempt])
        } catch {
            self.logger.debug("A lost job's log is not fenced", metadata: [LogKeys.error: "\(error)"])
        }
    }

    /// Ends the jobs that were cancelled while they ran and do not run any more.
    private func endStrayCancels() async throws {
        let jobs = try await self.queue.database.read { try Ledger($0).strayCancels(limit: Self.batchMax) }
        for job in jobs { _ = try await self.queue.cancel(job.id, of: job.tenant) }
    }

    /// Cancels the siblings of failed children that a crash has left running.
    private func failParents() async throws {
        let parents = try await self.queue.database.read { try Ledger($0).failedParents(limit: Self.batchMax) }
        for parent in parents { await self.queue.childFailed(of: parent) }
    }

    private func shutOutTheDeaf() async throws {
        let grace = self.queue.configuration.cancelGrace
        let overdue = try await self.queue.database.read { connection in
            try Ledger(connection).overdueCancels(grace: grace, limit: Self.batchMax)
        }
        for job in overdue {
            guard let id = try await self.shutOut(job) else { continue }
            await self.queue.announceFromLedger(job.id, at: id)
            if let parent = job.parentID { await self.queue.childFailed(of: parent) }
            self.queue.dispatcher.noteQueued()
        }
    }

    /// Where the terminal event goes; nil when the job has moved on: its worker has ended it after all, or another reaper.
    private func shutOut(_ job: Job) async throws -> EventID? {
        let kept = await self.queue.partialAnswer(of: job)
        let ending = Ending(state: .cancelled, stopReason: .cancelled, messages: kept.map { [$0] } ?? [])
        do {
            return try await self.queue.database.write(.durable) { try Ledger($0).end(job, ending) }
        } catch {
            guard error.code == .fenced else { throw error }
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
            // Without a log only a worker that was shut out may still make one.
            let isShutOut = last == nil && job.claims > 0 && job.state != .completed
            if last?.type.isTerminal ?? !isShutOut {
                // Written already and only not noted, or nothing to write to; its life may not be limited yet.
                try await self.queue.log.expire(job.id, after: self.queue.configuration.logTTL)
                try await self.queue.announcements.note(job.id)
            } else if last != nil, try await self.queue.log.seal(job.id, with: try job.seal()) != nil {
                // Its worker came in between.
                try await self.queue.announcements.note(job.id)
            } else {
                await self.queue.announce(job, at: job.lateEnd(after: last?.id ?? .zero), isShutOut: isShutOut)
            }
        }
    }
}
