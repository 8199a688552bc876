import Logging
package import Domain
import Events
import NIOCore
package import Redis
package import Store

extension JobQueue {
    /// Asks for the end of a job.
    ///
    /// One that has not begun is cancelled in this call. One that runs is told to its worker, at once by the control
    /// channel and at the latest by its next heartbeat; after `cancelGrace` the worker is shut out.
    package func cancel(_ id: JobID, of tenant: TenantID) async throws(QueueError) -> CancelResult {
        let result: CancelResult
        do {
            result = try await self.database.write(.durable) { try Ledger($0).cancel(id, of: tenant) }
        } catch {
            throw QueueError(error)
        }
        switch result {
        case .alreadyEnded: break
        case .requested:
            do {
                _ = try await self.redis.send(
                    RedisCommand("PUBLISH", .string(self.keys.control), .string("cancel \(id)"))
                )
            } catch {
                self.logger.debug("A cancel waits for the heartbeat", metadata: [LogKeys.job: "\(id)"])
            }
        case .cancelled(let eventID):
            await self.announceFromLedger(id, at: eventID)
            self.dispatcher.noteQueued()
        }
        return result
    }

    /// Calls `cancel` for each job that somebody wants ended, while the subscription lives.
    package func listenForCancels(
        on subscriber: RedisSubscriber,
        _ cancel: @escaping @Sendable (JobID) -> Void
    ) async throws(RedisError) -> RedisSubscription {
        try await subscriber.subscribe(to: self.keys.control) { event in
            guard case .message(let bytes) = event else { return }
            let words = String(buffer: bytes).split(separator: " ")
            if words.count == 2, words[0] == "cancel" { cancel(JobID(rawValue: String(words[1]))) }
        }
    }

    /// Writes the terminal event of a job that ended without its worker.
    func announceFromLedger(_ id: JobID, at eventID: EventID) async {
        guard let job = try? await self.database.read({ try Ledger($0).job(id) }) else { return }
        await self.announce(job, at: eventID)
    }
}
