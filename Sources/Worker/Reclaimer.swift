import Domain
import Logging
import Queue

/// The role that takes over what another worker has read and not claimed before it died.
struct Reclaimer: Sendable {
    private static let batchMax = 16

    let worker: WorkerID
    let queue: JobQueue
    let consumer: Consumer
    let logger: Logger

    /// Looks every half of the idle time until cancelled.
    func run() async {
        let idle = self.queue.configuration.reclaimIdle
        while !Task.isCancelled {
            try? await Task.sleep(for: idle * Double.random(in: 0.4...0.6))
            guard !Task.isCancelled else { return }
            let limit = min(Self.batchMax, self.consumer.freeSlots)
            guard limit > 0 else { continue }
            do {
                let entries = try await self.queue.streams.reclaim(
                    for: self.worker,
                    idle: idle,
                    limit: limit
                )
                guard !entries.isEmpty else { continue }
                self.logger.notice("Took over unclaimed entries", metadata: ["entries": "\(entries.count)"])
                self.consumer.adopt(entries)
            } catch {
                self.logger.debug("Nothing reclaimed", metadata: [LogKeys.error: "\(error)"])
            }
        }
    }
}
