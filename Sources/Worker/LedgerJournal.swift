import Domain
import Engine
import Queue

/// A run's journal in the ledger, fenced by its lease.
struct LedgerJournal: Journal {
    let queue: JobQueue
    let lease: Lease

    func record(_ step: Step) async throws {
        try await self.queue.record(step, under: self.lease)
    }
}
