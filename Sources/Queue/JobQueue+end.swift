import Logging
package import Domain
import Events
package import Store

extension JobQueue {
    /// Ends a job: one durable transaction, then its terminal event at `id`, then the next job of its lane.
    ///
    /// `.fenced` when the lease is gone, and then nothing is written. A crash after the commit leaves the event to a reaper.
    package func finish(_ lease: Lease, _ ending: Ending, terminalAt id: EventID) async throws(QueueError) {
        do {
            try await self.database.write(.durable) { connection in
                try Ledger(connection).finish(lease.id, epoch: lease.epoch, ending)
            }
        } catch {
            throw QueueError(error)
        }
        self.dispatcher.noteQueued()
        var job = lease.job
        job.state = ending.state
        job.result = ending.result
        job.failure = ending.failure
        await self.announce(job, at: id)
    }

    /// Gives a job back because this worker ends: to the head of its lane, the attempt not counted.
    package func release(_ lease: Lease) async throws(QueueError) {
        do {
            try await self.database.write(.durable) { connection in
                try Ledger(connection).release(lease.id, epoch: lease.epoch)
            }
        } catch {
            throw QueueError(error)
        }
        self.dispatcher.noteQueued()
    }

    /// Leaves a job that is not run here any more to the reapers, who count it as lost.
    ///
    /// `.fenced` when somebody has it already.
    package func disown(_ lease: Lease) async throws(QueueError) {
        do {
            try await self.database.write(.durable) { connection in
                try Ledger(connection).disown(lease.id, epoch: lease.epoch)
            }
        } catch {
            throw QueueError(error)
        }
    }

    /// Writes an ended job's terminal event and lets the log expire.
    ///
    /// Failure is made good by a reaper.
    func announce(_ job: Job, at id: EventID) async {
        do {
            _ = try await self.log.close(
                job.id,
                with: try job.terminalFrame(id: id),
                ttl: self.configuration.logTTL
            )
            try await self.database.write(.relaxed) { try Ledger($0).announced(job.id) }
        } catch {
            self.logger.debug(
                "The end of a job is not announced yet",
                metadata: [LogKeys.job: "\(job.id)", LogKeys.error: "\(error)"]
            )
        }
    }
}
