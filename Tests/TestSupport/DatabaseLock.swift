package import Foundation
import GRDB

/// Keeps everybody else from writing to a SQLite file for a while, as a backup, a checkpoint or a slow disk would.
package enum DatabaseLock {
    private static let patienceSeconds: Double = 10

    /// Takes the write lock, holds it for `time` and changes nothing; throws when it is not to be had in 10 s.
    package static func hold(_ file: URL, for time: Duration) async throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(self.patienceSeconds)
        // The transaction stays open between two calls.
        configuration.allowsUnsafeTransactions = true
        let queue = try DatabaseQueue(path: file.path, configuration: configuration)
        try await queue.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
        await dawdle(for: time)
        try await queue.writeWithoutTransaction { try $0.rollback() }
    }
}
