import Domain
import Store
import Synchronization

/// Notes in the ledger which terminal events were told, many in one statement's transaction.
///
/// Whoever comes first writes, and what others bring meanwhile goes with the next write.
final class Announcements: Sendable {
    private struct State {
        var told: [JobID] = []
        var isWriting = false
    }

    private let database: any Database
    private let state = Mutex(State())

    init(database: any Database) {
        self.database = database
    }

    /// Notes that a job's terminal event is in its log, or was told and has no log.
    ///
    /// When it throws, or the process dies, a reaper finds out.
    func note(_ job: JobID) async throws(StoreError) {
        let isFirst = self.state.withLock { state in
            state.told.append(job)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        guard isFirst else { return }
        do {
            while let told = self.next() {
                try await self.database.write(.relaxed) { try Ledger($0).announced(told) }
            }
        } catch {
            self.state.withLock { $0.isWriting = false }
            throw error
        }
    }

    private func next() -> [JobID]? {
        self.state.withLock { state in
            guard !state.told.isEmpty else {
                state.isWriting = false
                return nil
            }
            defer { state.told = [] }
            return state.told
        }
    }
}
