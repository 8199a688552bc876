public import Domain

/// How much waits, runs and has ended, and who works on it.
public struct QueueStatus: Codable, Sendable {
    /// Whose jobs were counted.
    public enum Scope: String, Codable, Sendable {
        /// Everybody's.
        case all
        /// The caller's.
        case tenant
    }

    /// How many jobs ended lately, in whatever way.
    public struct Throughput: Codable, Sendable {
        /// In the last minute.
        public var lastMinute: Int
        /// In the last five minutes.
        public var lastFiveMinutes: Int

        enum CodingKeys: String, CodingKey {
            case lastMinute = "last_minute"
            case lastFiveMinutes = "last_five_minutes"
        }
    }

    /// A process that runs jobs.
    public struct Worker: Codable, Sendable {
        /// Its id.
        public var workerID: WorkerID
        /// The machine.
        public var host: String
        /// The process.
        public var pid: Int
        /// Its version of Penguin.
        public var version: String
        /// Jobs that it can run at once.
        public var slots: Int
        /// Jobs that it runs, as of its last heartbeat.
        public var running: Int
        /// How long ago that was.
        public var heartbeatAgeSeconds: Double
        /// Whether it takes no more jobs.
        public var draining: Bool
        /// Jobs that it has run since its start.
        public var finished: Int
        /// How long they ran in the mean; nil before the first.
        public var meanRunSeconds: Double?

        enum CodingKeys: String, CodingKey {
            case workerID = "worker_id"
            case host, pid, version, slots, running
            case heartbeatAgeSeconds = "heartbeat_age_seconds"
            case draining, finished
            case meanRunSeconds = "mean_run_seconds"
        }
    }

    /// Whose jobs were counted.
    public var scope: Scope
    /// Whether nothing new begins.
    public var paused: Bool
    /// Jobs by state, every state; the ended ones as long as they are kept.
    public var states: [String: Int]
    /// Jobs that wait for a worker (`queued` and `dispatched`), by priority, every priority.
    public var priorities: [String: Int]
    /// How long ago the one of them was accepted that waits longest; nil when none waits.
    public var oldestWaitingSeconds: Double?
    /// How many ended lately.
    public var throughput: Throughput
    /// Jobs that all live workers together can run at once, the draining ones left out.
    public var slots: Int
    /// The live workers; nil in the scope of a tenant.
    public var workers: [Worker]?

    enum CodingKeys: String, CodingKey {
        case scope, paused, states, priorities
        case oldestWaitingSeconds = "oldest_waiting_seconds"
        case throughput, slots, workers
    }
}
