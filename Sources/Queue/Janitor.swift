import Domain
package import Logging
import Store

/// Removes what has been kept long enough: the rows of ended jobs, with their steps, and the consumers of dead workers.
///
/// Conversations and their messages stay. Every process may have one.
package struct Janitor: Sendable {
    private static let interval = Duration.seconds(60)
    /// A consumer that has not read for so long is a dead worker's.
    private static let consumerIdle = Duration.seconds(3600)
    /// Rows removed in one transaction, so that nobody waits long for the database.
    private static let batchMax = 500

    private let queue: JobQueue
    private let logger: Logger

    package init(queue: JobQueue, logger: Logger) {
        self.queue = queue
        self.logger = logger
    }

    /// Cleans every minute, jittered, until cancelled.
    package func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval * Double.random(in: 0.75...1.25))
            guard !Task.isCancelled else { return }
            do {
                let count = try await self.pass()
                if count > 0 { self.logger.info("Old jobs removed", metadata: ["jobs": "\(count)"]) }
                try await self.queue.streams.forgetConsumers(idle: Self.consumerIdle)
            } catch {
                self.logger.warning("Cleaning failed, will be tried again", metadata: [LogKeys.error: "\(error)"])
            }
        }
    }

    /// Removes everything that is due; returns how many jobs.
    package func pass() async throws -> Int {
        let retention = self.queue.configuration.retention
        var count = 0
        while !Task.isCancelled {
            let removed = try await self.queue.database.write(.relaxed) { connection in
                try Ledger(connection).expire(endedBefore: connection.now - retention, limit: Self.batchMax)
            }
            count += removed
            if removed < Self.batchMax { break }
        }
        return count
    }
}
