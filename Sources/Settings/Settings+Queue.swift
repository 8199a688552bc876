extension Settings {
    /// The timing of a job's life.
    package struct Queue: Sendable {
        /// How long a worker without a heartbeat keeps its jobs.
        package var lease: Duration
        /// Less than half a lease, so that one lost beat costs nothing.
        package var heartbeatInterval: Duration
        package var reapInterval: Duration
        /// Workers that a job may lose before it is a dead letter.
        package var lostMax: Int
        /// How long a dispatched job may stay unclaimed.
        package var redispatchAfter: Duration
        /// How long an entry that a worker read may stay unclaimed.
        package var reclaimIdle: Duration
        package var cancelGrace: Duration
        package var dispatchWindowMin: Int
        package var logEventsMax: Int
        package var logTimeToLive: Duration
        /// How often a follower without events looks into the ledger.
        package var ledgerCheckInterval: Duration
        /// How long the row of an ended job is kept.
        package var retention: Duration
        /// Jobs that may wait: in all, of one tenant, of one conversation.
        package var queuedMax: Int
        package var tenantQueuedMax: Int
        package var laneMax: Int
        /// Jobs of one tenant that may run at once; nil for any number.
        package var tenantRunningMax: Int?
        /// The part of its `maxmemory` that Redis may use before new jobs are refused.
        package var redisMemoryMax: Double
    }
}

extension Settings.Queue {
    static let section = SettingSection(
        "queue",
        "The timing of a job's life; the defaults suit nearly everybody. Fractions such as 0.5 are allowed.",
        keys: [
            SettingKey(
                "queue.lease_seconds",
                variable: "PENGUIN_LEASE_SECONDS",
                .seconds(0.1...3600),
                default: "20",
                unit: "s",
                "How long a worker without a heartbeat keeps its jobs; then others take them."
            ),
            SettingKey(
                "queue.heartbeat_seconds",
                variable: "PENGUIN_HEARTBEAT_SECONDS",
                .seconds(0.01...1800),
                default: "5",
                unit: "s",
                "Time between two heartbeats of a worker; less than half of `queue.lease_seconds`."
            ),
            SettingKey(
                "queue.reap_seconds",
                variable: "PENGUIN_REAP_SECONDS",
                .seconds(0.01...3600),
                default: "5",
                unit: "s",
                "Time between two searches for workers that are gone."
            ),
            SettingKey(
                "queue.lost_max",
                variable: "PENGUIN_LOST_MAX",
                .integer(0...1000),
                default: "3",
                unit: "times",
                "How often a job may lose its worker; once more makes it a dead letter."
            ),
            SettingKey(
                "queue.redispatch_seconds",
                variable: "PENGUIN_REDISPATCH_SECONDS",
                .seconds(0.1...3600),
                default: "10",
                unit: "s",
                "How long a dispatched job may stay unclaimed before it is put on its stream again."
            ),
            SettingKey(
                "queue.reclaim_idle_seconds",
                variable: "PENGUIN_RECLAIM_IDLE_SECONDS",
                .seconds(0.1...3600),
                default: "30",
                unit: "s",
                "How long a worker may hold a stream entry unclaimed before another takes it over."
            ),
            SettingKey(
                "queue.cancel_grace_seconds",
                variable: "PENGUIN_CANCEL_GRACE_SECONDS",
                .seconds(0...3600),
                default: "15",
                unit: "s",
                "How long a worker has to end a cancelled job itself."
            ),
            SettingKey(
                "queue.dispatch_window_min",
                .integer(1...10_000),
                default: "4",
                unit: "jobs",
                "Jobs that lie ready on Redis beyond those running, at least."
            ),
            SettingKey(
                "queue.log_events_max",
                .integer(100...10_000_000),
                default: "50000",
                unit: "events",
                "Events that Redis keeps of one job, about; older ones are answered from the ledger."
            ),
            SettingKey(
                "queue.log_ttl_seconds",
                variable: "PENGUIN_LOG_TTL_SECONDS",
                .seconds(0.1...604_800),
                default: "120",
                unit: "s",
                "How long Redis keeps an ended job's events; later the ledger answers."
            ),
            SettingKey(
                "queue.ledger_check_seconds",
                .seconds(0.05...3600),
                default: "5",
                unit: "s",
                "How often somebody who follows a silent job looks into the ledger."
            ),
            SettingKey(
                "queue.retention_seconds",
                variable: "PENGUIN_RETENTION_SECONDS",
                .seconds(60...315_360_000),
                default: "604800",
                unit: "s",
                "How long an ended job is kept (7 days); conversations stay."
            ),
            SettingKey(
                "queue.queued_max",
                variable: "PENGUIN_QUEUED_MAX",
                .integer(1...100_000_000),
                default: "50000",
                unit: "jobs",
                "Jobs that may wait in all; more are refused with 429."
            ),
            SettingKey(
                "queue.tenant_queued_max",
                variable: "PENGUIN_TENANT_QUEUED_MAX",
                .integer(1...100_000_000),
                default: "1000",
                unit: "jobs",
                "Jobs of one tenant that may wait."
            ),
            SettingKey(
                "queue.lane_max",
                variable: "PENGUIN_LANE_MAX",
                .integer(1...100_000),
                default: "32",
                unit: "jobs",
                "Messages of one conversation that may be open at once."
            ),
            SettingKey(
                "queue.tenant_running_max",
                variable: "PENGUIN_TENANT_RUNNING_MAX",
                .integer(1...1_000_000),
                defaultNote: "as many as there are slots",
                example: "16",
                unit: "jobs",
                "Jobs of one tenant that may run at once, over all workers."
            ),
            SettingKey(
                "queue.redis_memory_max",
                .number(0.1...1),
                default: "0.85",
                "The part of its `maxmemory` that Redis may use before new jobs are refused with 503."
            ),
        ]
    )

    init(reading reader: inout SettingsReader) {
        self.lease = reader.duration("queue.lease_seconds")
        self.heartbeatInterval = reader.duration("queue.heartbeat_seconds")
        self.reapInterval = reader.duration("queue.reap_seconds")
        self.lostMax = reader.integer("queue.lost_max")
        self.redispatchAfter = reader.duration("queue.redispatch_seconds")
        self.reclaimIdle = reader.duration("queue.reclaim_idle_seconds")
        self.cancelGrace = reader.duration("queue.cancel_grace_seconds")
        self.dispatchWindowMin = reader.integer("queue.dispatch_window_min")
        self.logEventsMax = reader.integer("queue.log_events_max")
        self.logTimeToLive = reader.duration("queue.log_ttl_seconds")
        self.ledgerCheckInterval = reader.duration("queue.ledger_check_seconds")
        self.retention = reader.duration("queue.retention_seconds")
        self.queuedMax = reader.integer("queue.queued_max")
        self.tenantQueuedMax = reader.integer("queue.tenant_queued_max")
        self.laneMax = reader.integer("queue.lane_max")
        self.tenantRunningMax = reader.optionalInteger("queue.tenant_running_max")
        self.redisMemoryMax = reader.number("queue.redis_memory_max")
        if self.heartbeatInterval * 2 >= self.lease {
            reader.contradiction(
                "queue.heartbeat_seconds",
                with: "queue.lease_seconds",
                "\(self.heartbeatInterval) does not fit: expected less than half of queue.lease_seconds (\(self.lease))"
            )
        }
    }
}
