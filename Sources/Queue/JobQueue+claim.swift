import Logging
package import Domain
import Redis
import Store

extension JobQueue {
    /// Claims the jobs of entries that were read, all in one transaction, and settles the entries.
    ///
    /// An entry whose job is not dispatched any more gives no lease: it was a duplicate.
    package func claim(_ entries: [JobStreams.Entry], by worker: WorkerID) async throws(QueueError) -> [Lease] {
        let ids = entries.map(\.job)
        let jobs: [Job]
        do {
            jobs = try await self.database.write(.relaxed) { try Ledger($0).claim(ids, by: worker) }
        } catch {
            throw QueueError(error)
        }
        self.dispatcher.noteClaimed(jobs.count)
        do {
            try await self.streams.settle(entries)
        } catch {
            self.logger.debug("Entries were not settled", metadata: [LogKeys.error: "\(error)"])
        }
        return jobs.map(Lease.init)
    }

    /// Whether the lease still holds, as far as the ledger can be asked.
    package func holds(_ lease: Lease) async -> Bool {
        let job = try? await self.database.read { try Ledger($0).job(lease.id) }
        guard let job else { return false }
        return job.state == .running && job.epoch == lease.epoch
    }

    /// The steps of earlier attempts.
    package func steps(of lease: Lease) async throws(QueueError) -> [Step] {
        do {
            return try await self.database.read { try Ledger($0).steps(of: lease.id) }
        } catch {
            throw QueueError(error)
        }
    }

    /// Writes a step into the journal; `.fenced` when the lease is gone.
    package func record(_ step: Step, under lease: Lease) async throws(QueueError) {
        let durability: Durability = step.state == .intent ? .durable : .relaxed
        do {
            try await self.database.write(durability) { connection in
                try Ledger(connection).record(step, of: lease.id, epoch: lease.epoch)
            }
        } catch {
            throw QueueError(error)
        }
    }
}
