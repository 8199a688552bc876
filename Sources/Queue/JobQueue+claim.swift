import Logging
package import Domain
import Redis
import Store

extension JobQueue {
    /// Claims the jobs of entries that were read, all in one transaction, and settles the entries.
    ///
    /// An entry whose job is not dispatched any more gives no lease: it was a duplicate. Jobs beyond `countMax` go back
    /// to be dispatched anew, so that none waits here behind others.
    package func claim(
        _ entries: [JobStreams.Entry],
        by worker: WorkerID,
        atMost countMax: Int = .max
    ) async throws(QueueError) -> [Lease] {
        let ids = entries.prefix(countMax).map(\.job)
        let excess = entries.dropFirst(countMax).map(\.job)
        let jobs: [Job]
        do {
            jobs = try await self.database.write(.relaxed) { connection in
                let ledger = Ledger(connection)
                try ledger.undispatch(excess)
                return try ledger.claim(ids, by: worker)
            }
        } catch  where error.code == .corrupt {
            jobs = await self.claimOneByOne(ids, by: worker)
        } catch {
            throw QueueError(error)
        }
        self.dispatcher.noteClaimed(jobs.count + excess.count)
        if !excess.isEmpty { self.dispatcher.noteBacklog() }
        do {
            try await self.streams.settle(entries)
        } catch {
            self.logger.debug("Entries were not settled", metadata: [LogKeys.error: "\(error)"])
        }
        for job in jobs { self.metrics.wasClaimed(job) }
        return jobs.map(Lease.init)
    }

    /// Claims each job by itself, so that one that cannot be read does not keep back the others; that one is ended.
    private func claimOneByOne(_ ids: [JobID], by worker: WorkerID) async -> [Job] {
        var jobs: [Job] = []
        for id in ids {
            do {
                jobs += try await self.database.write(.relaxed) { try Ledger($0).claim([id], by: worker) }
            } catch  where error.code == .corrupt {
                self.logger.error(
                    "A job cannot be read",
                    metadata: [LogKeys.job: "\(id)", LogKeys.error: "\(error)"]
                )
                await self.bury(id)
            } catch {
                // It stays dispatched, and goes on its stream again.
                self.logger.warning(
                    "A job was not claimed",
                    metadata: [LogKeys.job: "\(id)", LogKeys.error: "\(error)"]
                )
            }
        }
        return jobs
    }

    /// Ends a dispatched job that this program cannot read: kept, for people to look at.
    private func bury(_ id: JobID) async {
        do {
            let end = try await self.database.write(.durable) { connection -> EventID? in
                let ledger = Ledger(connection)
                guard let job = try ledger.job(id), job.state == .dispatched else { return nil }
                return try ledger.end(job, Ending(state: .dead, failure: .undecodable))
            }
            guard let end else { return }
            await self.announceFromLedger(id, at: end)
            self.dispatcher.noteQueued()
        } catch {
            // Not even its row can be read: perhaps a newer program can, so it is left where it is.
            self.logger.error("A job cannot be ended", metadata: [LogKeys.job: "\(id)", LogKeys.error: "\(error)"])
        }
    }

    /// Whether the lease still holds; true also when the ledger cannot be asked, since every write is fenced anyway.
    package func holds(_ lease: Lease) async -> Bool {
        do {
            let job = try await self.database.read { try Ledger($0).job(lease.id) }
            return job?.state == .running && job?.epoch == lease.epoch
        } catch {
            return true
        }
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

extension JobFailure {
    /// Of a job that this program cannot read.
    package static let undecodable = JobFailure(
        code: "undecodable",
        message: "The job cannot be read by this version of Penguin.",
        retryable: false
    )
}
