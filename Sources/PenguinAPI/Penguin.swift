import Domain
package import Events
package import LLM
package import Queue
package import Redis
import Store

/// Everything a program can ask of Penguin: the same calls that stand behind the HTTP routes.
///
/// Work is accepted as durable jobs; a call that waits for one can be given up at any time without stopping it.
public final class Penguin: Sendable {
    let queue: JobQueue
    let relay: EventRelay
    let database: any Database
    let redis: RedisClient
    let catalogue: ModelCatalogue
    private let exposition: @Sendable () async -> String
    let defaults: Defaults
    let startedAt: ContinuousClock.Instant

    /// What a request gets that does not say otherwise.
    package struct Defaults: Sendable {
        package var chatIterationsMax: Int
        /// How long a call waits for a job before it answers with the job's id.
        package var syncTimeout: Duration

        package init(chatIterationsMax: Int, syncTimeout: Duration) {
            self.chatIterationsMax = chatIterationsMax
            self.syncTimeout = syncTimeout
        }
    }

    package init(
        queue: JobQueue,
        relay: EventRelay,
        redis: RedisClient,
        catalogue: ModelCatalogue,
        metrics: @escaping @Sendable () async -> String,
        defaults: Defaults
    ) {
        self.queue = queue
        self.relay = relay
        self.database = queue.database
        self.redis = redis
        self.catalogue = catalogue
        self.exposition = metrics
        self.defaults = defaults
        self.startedAt = .now
    }

    /// The metrics of this process, in the text format of Prometheus.
    public func metrics() async -> String { await self.exposition() }
}
