import Domain
package import Events
package import Logging
package import Redis
package import Store

/// A job's life: submit, dispatch, claim, heartbeat, finish, reap, cancel.
///
/// The ledger decides, Redis wakes: everything here is committed first and told to Redis afterwards, and what a crash
/// leaves untold is told by the reaper or the dispatcher of whoever lives on.
package struct JobQueue: Sendable {
    package let database: any Database
    package let log: EventLog
    package let streams: JobStreams
    package let dispatcher: Dispatcher
    package let admission: AdmissionGate
    package let configuration: QueueConfiguration
    package let metrics: QueueMetrics
    let announcements: Announcements
    let redis: RedisClient
    let keys: QueueKeys
    let logger: Logger

    package init(
        database: any Database,
        redis: RedisClient,
        log: EventLog,
        keys: QueueKeys,
        configuration: QueueConfiguration,
        metrics: QueueMetrics = QueueMetrics(),
        logger: Logger
    ) {
        self.database = database
        self.redis = redis
        self.log = log
        self.keys = keys
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger
        self.streams = JobStreams(redis: redis, keys: keys)
        self.dispatcher = Dispatcher(
            database: database,
            redis: redis,
            streams: self.streams,
            configuration: configuration,
            redispatched: metrics.redispatched,
            logger: logger
        )
        self.admission = AdmissionGate(
            database: database,
            redis: redis,
            configuration: configuration,
            metrics: metrics,
            logger: logger
        )
        self.announcements = Announcements(database: database)
    }

    /// Refuses a Redis that may throw away keys of its own accord.
    package func checkRedis() async throws {
        let reply = try await self.redis.send(RedisCommand("CONFIG", "GET", "maxmemory-policy"))
        guard let policy = reply.array?.last?.string, policy != "noeviction" else { return }
        throw QueueError(
            .unsuitable,
            """
            Redis has maxmemory-policy '\(policy)', which would delete the events of running jobs. \
            Set it to 'noeviction' (CONFIG SET maxmemory-policy noeviction, and in redis.conf).
            """
        )
    }
}

extension QueueError {
    /// Says what a failure of the store means for the queue.
    init(_ error: StoreError) {
        let code: Code =
            switch error.code {
            case .fenced: .fenced
            case .notFound: .notFound
            case .conflict: .conflict
            case .busy, .overloaded, .full, .unavailable, .corrupt, .schemaTooNew: .unavailable
            }
        self.init(code, error.message, underlying: error)
    }
}
