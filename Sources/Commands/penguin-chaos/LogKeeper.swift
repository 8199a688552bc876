import Domain
import Redis
import Synchronization
import TestSupport

/// Keeps the logs of ended jobs as they were soon after the end, before Redis is made to forget them.
final class LogKeeper: Sendable {
    private static let pause = Duration.milliseconds(300)
    /// Logs read in one round.
    private static let roundMax = 256

    private struct State {
        /// Jobs that were looked at, whether there was a log or not.
        var seen: Set<JobID> = []
        var logs: [JobID: [ObservedEvent]] = [:]
    }

    private let state = Mutex(State())

    var logs: [JobID: [ObservedEvent]] { self.state.withLock { $0.logs } }

    /// Reads what has newly ended, again and again, until cancelled.
    func run(_ ledger: ObservedLedger, redisURL: String) async throws {
        try await withRedisClient(redisURL) { client in
            let reader = ObservedLogs(client: client)
            while !Task.isCancelled {
                // Redis or the ledger may be away: then the next round has it.
                try? await self.read(ledger, reader)
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    private func read(_ ledger: ObservedLedger, _ reader: ObservedLogs) async throws {
        let ended = try await ledger.announcedJobs()
        let new = self.state.withLock { state in ended.filter { !state.seen.contains($0) } }
        let some = Array(new.prefix(Self.roundMax))
        guard !some.isEmpty else { return }
        let logs = try await reader.read(some)
        self.state.withLock { state in
            state.seen.formUnion(some)
            state.logs.merge(logs) { $1 }
        }
    }
}
