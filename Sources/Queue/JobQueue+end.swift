import CoreMetrics
import Logging
package import Domain
package import Events
package import Store

extension JobQueue {
    /// Ends a job: one durable transaction, then its last events, then the next job of its lane.
    ///
    /// `events` are what the run has left untold; the terminal event at `id` follows them. `.fenced` when the lease is gone,
    /// and then nothing is written. A crash after the commit leaves the event to a reaper.
    package func finish(
        _ lease: Lease,
        _ ending: Ending,
        after events: LogRemainder = LogRemainder(),
        terminalAt id: EventID
    ) async throws(QueueError) {
        do {
            try await self.database.write(.durable) { connection in
                try Ledger(connection).finish(lease.id, epoch: lease.epoch, ending)
            }
        } catch {
            throw QueueError(error)
        }
        self.metrics.hasEnded(lease.job.kind, ending.state, startedAt: lease.job.startedAt)
        // The next of its lane, or its parent, may be free now.
        if lease.job.conversationID != nil || lease.job.parentID != nil || self.hasCap(lease.job.tenant) {
            self.dispatcher.noteQueued()
        }
        var job = lease.job
        job.state = ending.state
        job.result = ending.result
        job.failure = ending.failure
        await self.announce(job, after: events, at: id)
        if ending.state != .completed, let parent = job.parentID { await self.childFailed(of: parent) }
    }

    /// Gives a job back because this worker ends: to the head of its lane, the attempt not counted.
    package func release(_ lease: Lease) async throws(QueueError) {
        try await self.write(lease) { try $0.release(lease.id, epoch: lease.epoch) }
        self.dispatcher.noteQueued()
        await self.cancelIfAsked(lease)
    }

    /// Puts a job off for a fault of the infrastructure; it keeps its place at the head of its lane, and no slot.
    ///
    /// `failures` is the count of such faults so far; nil counts one more.
    package func retry(
        _ lease: Lease,
        after delay: Duration,
        _ failure: JobFailure,
        failures: Int? = nil
    ) async throws(QueueError) {
        try await self.write(lease) { ledger in
            let due = ledger.now + delay
            try ledger.retry(lease.id, epoch: lease.epoch, at: due, after: failure, failures: failures)
        }
        self.metrics.retried.increment()
        if self.hasCap(lease.job.tenant) { self.dispatcher.noteQueued() }
        self.dispatcher.noteScheduled(after: delay)
        await self.cancelIfAsked(lease)
    }

    /// Whether a job of the tenant that ends makes room for another.
    private func hasCap(_ tenant: TenantID) -> Bool { self.configuration.share(of: tenant).runningMax != nil }

    /// Leaves a job that is not run here any more to the reapers, who count it as lost.
    ///
    /// `.fenced` when somebody has it already.
    package func disown(_ lease: Lease) async throws(QueueError) {
        try await self.write(lease) { try $0.disown(lease.id, epoch: lease.epoch) }
    }

    /// Ends a job that was given back while somebody waits for its end; else the next claim does, however far that is.
    func cancelIfAsked(_ lease: Lease) async {
        guard let job = try? await self.database.read({ try Ledger($0).job(lease.id) }), job.cancelRequested,
            job.state != .running, !job.state.isTerminal
        else { return }
        do {
            _ = try await self.cancel(job.id, of: job.tenant)
        } catch {
            self.logger.debug("A job is not cancelled yet", metadata: [LogKeys.error: "\(error)"])
        }
    }

    private func write(
        _ lease: Lease,
        _ body: @escaping @Sendable (Ledger) throws -> Void
    ) async throws(QueueError) {
        do {
            try await self.database.write(.durable) { try body(Ledger($0)) }
        } catch {
            throw QueueError(error)
        }
    }

    /// Writes an ended job's terminal event and lets the log expire.
    ///
    /// With `isShutOut` a worker may still have the job and not have begun its log: then the log is made, or nothing would
    /// refuse what that worker writes later. Failure is made good by a reaper.
    func announce(
        _ job: Job,
        after events: LogRemainder = LogRemainder(),
        at id: EventID,
        isShutOut: Bool = false
    ) async {
        do {
            let (terminal, ttl) = (try job.terminalFrame(id: id), self.configuration.logTTL)
            let appended = try await self.log.close(job.id, after: events, with: terminal, ttl: ttl)
            if appended == .logMissing, isShutOut, let start = try? job.startFrame() {
                let first = LogRemainder(frames: [start], createsLog: true)
                _ = try await self.log.close(job.id, after: first, with: terminal, ttl: ttl)
            }
            try await self.announcements.note(job.id)
        } catch {
            self.logger.debug(
                "The end of a job is not announced yet",
                metadata: [LogKeys.job: "\(job.id)", LogKeys.error: "\(error)"]
            )
        }
    }
}
