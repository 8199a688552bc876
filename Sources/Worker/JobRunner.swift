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
    let handlers: [JobKind: any JobHandler]
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
        let began = ContinuousClock.now
        defer { self.running.leave(lease.id, after: began.duration(to: .now)) }
        let logger = self.logger(of: lease)
        guard let start = try? lease.job.startFrame(), let handler = self.handlers[lease.job.kind] else {
            logger.error("The job cannot be read")
            let id = EventID(epoch: lease.epoch, sequence: 0)
            return await self.settle(.ended(.undecodable), lease, (LogRemainder(), id), control, logger)
        }
        await self.forgetOldLog(of: lease, logger)
        let writer = LogWriter(
            job: lease.id,
            epoch: lease.epoch,
            log: self.queue.log,
            start: start,
            isNew: lease.job.claims == 1,
            logger: logger
        ) {
            await self.queue.holds(lease)
        }
        let data = EventData.Attempt(jobID: lease.id, attempt: lease.job.attempt, reason: "claimed")
        writer.add(data, as: .attempt)
        let context = RunContext(queue: self.queue, writer: writer, control: control, logger: logger)
        guard handler.isStreaming else {
            let outcome = await self.outcome(of: lease, by: handler, in: context)
            return await self.settle(outcome, lease, writer.close(), control, logger)
        }
        await withTaskGroup { group in
            group.addTask { if await !writer.run() { control.interrupt(.leaseLost) } }
            let outcome = await self.outcome(of: lease, by: handler, in: context)
            if !outcome.isAbandoned { await writer.flush(within: Self.flushMax) }
            await self.settle(outcome, lease, writer.close(), control, logger)
        }
    }

    private func logger(of lease: Lease) -> Logger {
        var logger = self.logger
        logger[metadataKey: LogKeys.job] = "\(lease.id)"
        if let conversation = lease.job.conversationID { logger[metadataKey: LogKeys.conversation] = "\(conversation)" }
        return logger
    }

    /// A job that was put back may have the log of its earlier life, terminal event and all.
    private func forgetOldLog(of lease: Lease, _ logger: Logger) async {
        guard lease.job.redrives > 0, lease.job.claims == 1 else { return }
        do {
            try await self.queue.log.delete(lease.id)
        } catch {
            logger.warning("The old log is not deleted", metadata: [LogKeys.error: "\(error)"])
        }
    }

    private func outcome(of lease: Lease, by handler: any JobHandler, in context: RunContext) async -> JobOutcome {
        do {
            return try await handler.run(lease, in: context)
        } catch let failure as JobFailure {
            return .ended(Ending(state: .failed, failure: failure))
        } catch let error as DecodingError {
            context.logger.error("A job cannot be read", metadata: [LogKeys.error: "\(error)"])
            return .ended(.undecodable)
        } catch let error as StoreError where error.code == .corrupt {
            // Nor could anybody else: given back it would come again and again.
            context.logger.error("What a job needs cannot be read", metadata: [LogKeys.error: "\(error)"])
            return .ended(.undecodable)
        } catch is CancellationError {
            return .released
        } catch {
            context.logger.warning("A job cannot be run now", metadata: [LogKeys.error: "\(error)"])
            return self.outcome(afterFaultOf: lease)
        }
    }

    /// What the retry policy says when a part of ours was out of reach.
    private func outcome(afterFaultOf lease: Lease) -> JobOutcome {
        let failure = JobFailure(
            code: "unavailable",
            message: "Penguin could not reach its data.",
            retryable: true
        )
        let counts = RetryPolicy.Counts(failures: lease.job.failures)
        switch self.queue.configuration.retries.decide(.storage, after: counts) {
        case .retry(let delay), .askAgain(let delay): return .putOff(failure, after: delay)
        case .requeue: return .released
        case .fail, .bury: return .ended(Ending(state: .dead, failure: failure))
        }
    }

    /// One switch commits the outcome.
    private func settle(
        _ outcome: JobOutcome,
        _ lease: Lease,
        _ end: (remainder: LogRemainder, next: EventID),
        _ control: RunControl,
        _ logger: Logger
    ) async {
        // A lease that was lost meanwhile outweighs whatever the run came to.
        guard control.interruption != .leaseLost else {
            self.queue.metrics.wasFenced()
            return await self.giveUp(lease, logger)
        }
        let isOurs: Bool
        switch outcome {
        case .abandoned: isOurs = false
        case .released:
            isOurs = await self.persist(control, logger) { () async throws(QueueError) in
                try await self.queue.release(lease)
            }
        case .putOff(let failure, let delay, let failures):
            isOurs = await self.persist(control, logger) { () async throws(QueueError) in
                try await self.queue.retry(lease, after: delay, failure, failures: failures)
            }
        case .waiting(let children, let policy, let prepare):
            isOurs = await self.persist(control, logger) { () async throws(QueueError) in
                do throws(QueueError) {
                    try await self.queue.wait(lease, for: children, onFailure: policy, prepare: prepare)
                } catch {
                    // Asked for again it would be refused again.
                    guard error.code == .conflict else { throw error }
                    let failure = JobFailure(code: "children_refused", message: error.message, retryable: false)
                    let ending = Ending(state: .failed, failure: failure)
                    try await self.queue.finish(lease, ending, after: end.remainder, terminalAt: end.next)
                }
            }
        case .ended(var ending):
            if ending.state != .completed, ending.messages.isEmpty, lease.job.kind == .chat, lease.job.claims > 1,
                let shown = await self.queue.partialAnswer(of: lease.job)
            {
                ending.messages = [shown]
            }
            let ending = ending
            isOurs = await self.persist(control, logger) { () async throws(QueueError) in
                try await self.queue.finish(lease, ending, after: end.remainder, terminalAt: end.next)
            }
        }
        guard isOurs else { return await self.giveUp(lease, logger) }
        self.note(outcome, of: lease, logger)
    }

    private func note(_ outcome: JobOutcome, of lease: Lease, _ logger: Logger) {
        switch outcome {
        case .ended(let ending) where lease.job.kind == .noop && ending.state == .completed: break
        case .ended(let ending):
            let duration = Timestamp.now - (lease.job.startedAt ?? lease.job.createdAt)
            logger.info(
                "Job ended",
                metadata: [
                    "state": "\(ending.state.rawValue)", "stop_reason": "\(ending.stopReason?.rawValue ?? "-")",
                    "attempt": "\(lease.job.attempt)", "ms": "\(duration.milliseconds)",
                    "error": "\(ending.failure?.code ?? "-")",
                ]
            )
        case .putOff(let failure, let delay, _):
            logger.notice("Job put off", metadata: ["ms": "\(delay.milliseconds)", "error": "\(failure.code)"])
        case .waiting(let children, _, _): logger.info("Job waits", metadata: ["children": "\(children.count)"])
        case .released, .abandoned: logger.info("Job given back")
        }
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
                self.queue.metrics.wasFenced()
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
    private func giveUp(_ lease: Lease, _ logger: Logger) async {
        logger.notice("Job given up")
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
