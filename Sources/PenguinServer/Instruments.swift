import CoreMetrics
import Domain
import Events
import Logging
import PenguinMetrics
import Queue
import Redis
import Store

/// The metrics of a process: the registry, what each family means, and what is looked up when somebody asks.
struct Instruments: Sendable {
    let registry = MetricsRegistry()

    /// The registry with its families described; histograms keep the bounds they are given here.
    init() {
        for (name, help) in Self.helps { self.registry.describe(name, help: help) }
        for (name, help, buckets) in Self.histograms { self.registry.describe(name, help: help, buckets: buckets) }
    }

    private static let helps = [
        ("penguin_jobs_submitted_total", "Jobs that this process has accepted."),
        ("penguin_jobs_refused_total", "Jobs that this process has refused, by the cap that was reached."),
        ("penguin_jobs_ended_total", "Jobs that this process has ended, by their state."),
        ("penguin_jobs_lost_total", "Leases that ran out, as found by this process."),
        ("penguin_jobs_fenced_total", "Runs of this process that found their job somebody else's."),
        ("penguin_jobs_truncated_total", "Attempts of this process that took back what an earlier one had shown."),
        ("penguin_jobs_retried_total", "Jobs that this process has put off for a fault of the infrastructure."),
        ("penguin_jobs_redispatched_total", "Jobs that this process has put on their streams again."),
        ("penguin_log_events_total", "Events that this process has sent to the logs of jobs."),
        ("penguin_database_refused_writes_total", "Writes that were refused because too many waited."),
    ]

    private static let fast = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5]
    private static let slow = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600]
    private static let counts = [1.0, 2, 4, 8, 16, 32, 64, 128, 256, 512]

    private static let histograms: [(String, String, [Double])] = [
        ("penguin_job_wait_seconds", "From the acceptance of a job to its first claim.", slow),
        ("penguin_job_run_seconds", "From the newest claim of a job to its end.", slow),
        ("penguin_dispatch_latency_seconds", "From the dispatch of a job to its claim.", fast),
        ("penguin_redis_round_trip_seconds", "From a call to the replies of Redis.", fast),
        ("penguin_database_commit_seconds", "A transaction that writes, sync included.", fast),
        ("penguin_database_batch_writes", "Writes that shared a transaction.", counts),
    ]
}

// MARK: What is looked up

extension Instruments {
    /// Adds what is looked up at each scrape; a process without clients has no relay.
    func watch(_ parts: Parts, relay: EventRelay?) {
        do {
            let figures = try ProcessFigures()
            self.registry.onScrape(named: "process") { try figures.samples() }
        } catch {
            parts.logger.notice("No figures of the process", metadata: [LogKeys.error: "\(error)"])
        }
        let (database, lease) = (parts.database, parts.queue.configuration.lease)
        self.registry.onScrape(named: "ledger") {
            try await database.read { connection in
                Self.samples(of: try Ledger(connection).openCounts())
                    + Self.samples(of: try Workers(connection).live(within: lease))
            }
        }
        let redis = parts.redis
        self.registry.onScrape(named: "pools") {
            [
                MetricSample(
                    "penguin_redis_up",
                    help: "Whether Redis is connected.",
                    value: redis.isConnected ? 1 : 0
                ),
                MetricSample(
                    "penguin_redis_pending_commands",
                    help: "Commands that wait for their replies, or for the connection.",
                    value: Double(redis.pendingCommands)
                ),
                MetricSample(
                    "penguin_database_readers_max",
                    help: "Connections that may read at once; there is one that writes.",
                    value: Double(SQLiteDatabase.readersMax)
                ),
                MetricSample(
                    "penguin_database_waiting_writes",
                    help: "Writes that wait for the next transaction.",
                    value: Double(database.waitingWrites)
                ),
            ]
        }
        if let relay { self.registry.onScrape(named: "followers") { Self.samples(of: relay) } }
    }

    private static func samples(of relay: EventRelay) -> [MetricSample] {
        let lag = relay.lag
        return [
            MetricSample("penguin_followers", help: "Clients that follow a job here.", value: Double(relay.count)),
            MetricSample(
                "penguin_followers_behind",
                help: "Of these, those that read the log because they left the live feed.",
                value: Double(lag.behind)
            ),
            MetricSample(
                "penguin_follower_lag_events",
                help: "The most live events that wait for one of them.",
                value: Double(lag.eventsMax)
            ),
        ]
    }

    private static func samples(of counts: [OpenCount]) -> [MetricSample] {
        var jobs: [[String: String]: Int] = [:]
        for count in counts { jobs[["kind": count.kind, "state": count.state.rawValue], default: 0] += count.jobs }
        return jobs.map { labels, count in
            MetricSample(
                "penguin_jobs",
                help: "Jobs that have not ended, by kind and state.",
                labels: labels,
                value: Double(count)
            )
        }
    }

    private static func samples(of workers: [WorkerStatus]) -> [MetricSample] {
        [
            MetricSample("penguin_workers", help: "Workers that beat.", value: Double(workers.count)),
            MetricSample(
                "penguin_worker_slots",
                help: "Jobs that they can run at once.",
                value: Double(workers.map(\.slots).reduce(0, +))
            ),
            MetricSample(
                "penguin_worker_slots_used",
                help: "Jobs that they run.",
                value: Double(workers.map(\.running).reduce(0, +))
            ),
        ]
    }
}
