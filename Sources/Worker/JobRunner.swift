import Domain
import Engine
import Events
import Logging
import Queue
import Store

/// The role that takes one claimed job to its end: run, outcome, commit.
struct JobRunner: Sendable {
    private static let commitBackoffMax = Duration.seconds(2)
    private static let flushMax = Duration.seconds(5)

    let queue: JobQueue
    let attempt: ChatAttempt
    let running: RunningJobs
    let logger: Logger

    /// Takes a slot for a lease.
    func enter(_ lease: Lease) -> RunControl {
        let control = RunControl()
        self.running.enter(lease.id, control)
        // Asked for while an earlier attempt ran.
        if lease.job.cancelRequested { control.interrupt(.cancelled) }
        return control
    }

    /// Runs an attempt and commits what came of it.
    func run(_ lease: Lease, control: RunControl) async {
        var logger = self.logger
        logger[metadataKey: LogKeys.job] = "\(lease.id)"
        if let conversation = lease.job.conversationID { logger[metadataKey: LogKeys.conversation] = "\(conversation)" }
        defer { self.running.leave(lease.id) }
        guard let start = try? lease.job.startFrame() else {
            logger.error("The payload cannot be decoded")
            await self.commit(.undecodable, lease, at: EventID(epoch: lease.epoch, sequence: 0), control, logger)
            return
        }
        let writer = LogWriter(job: lease.id, epoch: lease.epoch, log: self.queue.log, start: start, logger: logger) {
            await self.queue.holds(lease)
        }
        await withTaskGroup { group in
            group.addTask { if await !writer.run() { control.interrupt(.leaseLost) } }
            writer.add(
                EventData.Attempt(jobID: lease.id, attempt: lease.job.attempt, reason: "claimed"),
                as: .attempt
            )
            let outcome = await self.outcome(of: lease, writer: writer, control: control)
            if outcome != .abandoned { await writer.flush(within: Self.flushMax) }
            await self.settle(outcome, lease, at: writer.close(), control, logger)
        }
    }

    private func outcome(of lease: Lease, writer: LogWriter, control: RunControl) async -> RunOutcome {
        do {
            return try await self.attempt.run(lease, queue: self.queue, writer: writer, control: control)
        } catch let failure as JobFailure {
            return .failed(failure, .nothing)
        } catch let error as DecodingError {
            self.logger.error("A job cannot be read", metadata: [LogKeys.error: "\(error)"])
            return .failed(.undecodable, .nothing)
        } catch let error as StoreError where error.code == .corrupt {
            // Nor could anybody else: given back it would come again and again.
            self.logger.error("What a job needs cannot be read", metadata: [LogKeys.error: "\(error)"])
            return .failed(.undecodable, .nothing)
        } catch {
            // The database is out of reach: the job goes back, to this worker or another.
            self.logger.warning("A job cannot be loaded", metadata: [LogKeys.error: "\(error)"])
            return .released
        }
    }

    /// One switch commits the outcome.
    private func settle(
        _ outcome: RunOutcome,
        _ lease: Lease,
        at id: EventID,
        _ control: RunControl,
        _ logger: Logger
    ) async {
        // A lease that was lost meanwhile outweighs whatever the run came to.
        guard control.interruption != .leaseLost, outcome != .abandoned else {
            logger.notice("Job given up: the lease is lost")
            return await self.disown(lease, logger)
        }
        do {
            guard let ending = try self.attempt.ending(of: lease, outcome, now: .now) else {
                let isOurs = await self.persist(control, logger) { () async throws(QueueError) in
                    try await self.queue.release(lease)
                }
                guard isOurs else { return await self.disown(lease, logger) }
                logger.info("Job given back")
                return
            }
            await self.commit(ending, lease, at: id, control, logger)
        } catch {
            logger.error("The result cannot be encoded", metadata: [LogKeys.error: "\(error)"])
            await self.commit(.undecodable, lease, at: id, control, logger)
        }
    }

    private func commit(
        _ ending: Ending,
        _ lease: Lease,
        at id: EventID,
        _ control: RunControl,
        _ logger: Logger
    ) async {
        let isOurs = await self.persist(control, logger) { () async throws(QueueError) in
            try await self.queue.finish(lease, ending, terminalAt: id)
        }
        guard isOurs else { return await self.disown(lease, logger) }
        let duration = Timestamp.now - (lease.job.startedAt ?? lease.job.createdAt)
        logger.info(
            "Job ended",
            metadata: [
                "state": "\(ending.state.rawValue)", "stop_reason": "\(ending.stopReason?.rawValue ?? "-")",
                "attempt": "\(lease.job.attempt)", "ms": "\(duration.milliseconds)",
                "error": "\(ending.failure?.code ?? "-")",
            ]
        )
    }

    /// Tries until it is written, or the lease is somebody else's.
    ///
    /// True when it is written.
    private func persist(
        _ control: RunControl,
        _ logger: Logger,
        _ write: () async throws(QueueError) -> Void
    ) async -> Bool {
        var backoff = Duration.milliseconds(50)
        while control.interruption != .leaseLost {
            do {
                try await write()
                return true
            } catch  where error.code == .fenced {
                logger.notice("Job given up: it is somebody else's", metadata: [LogKeys.error: "\(error)"])
                return false
            } catch {
                logger.warning("The ledger is out of reach", metadata: [LogKeys.error: "\(error)"])
                guard !Task.isCancelled else { return false }
                try? await Task.sleep(for: backoff)
                backoff = min(backoff * 2, Self.commitBackoffMax)
            }
        }
        return false
    }

    /// Leaves a job to the reapers that was given up here and may still be ours in the ledger.
    ///
    /// A worker that beats again keeps all its leases: without this it would keep that of a job it does not run, for ever.
    private func disown(_ lease: Lease, _ logger: Logger) async {
        var backoff = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                return try await self.queue.disown(lease)
            } catch  where error.code == .fenced {
                return
            } catch {
                logger.warning("The ledger is out of reach", metadata: [LogKeys.error: "\(error)"])
                try? await Task.sleep(for: backoff)
                backoff = min(backoff * 2, Self.commitBackoffMax)
            }
        }
    }
}

extension Ending {
    /// For a job that this program cannot read: kept, for people to look at.
    fileprivate static var undecodable: Ending { Ending(state: .dead, failure: .undecodable) }
}

extension RunResult {
    fileprivate static let nothing = RunResult(
        text: "",
        reasoning: "",
        actions: [],
        iterations: 0,
        usage: TokenUsage(),
        stopReason: .providerError
    )
}
