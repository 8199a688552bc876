package import Domain

/// The queue's times and bounds; docs/configuration.md has them with their defaults.
package struct QueueConfiguration: Sendable {
    /// What one tenant may have.
    package struct Share: Sendable, Equatable {
        /// Its part of the slots when others want them too, in relation to theirs.
        package var weight: Double
        /// Jobs of it that may run at once; nil for as many as there are slots.
        package var runningMax: Int?

        package init(weight: Double = 1, runningMax: Int? = nil) {
            self.weight = weight
            self.runningMax = runningMax
        }
    }

    /// How long a claim is valid without a heartbeat.
    package var lease = Duration.seconds(20)
    /// How often a worker beats.
    package var heartbeat = Duration.seconds(5)
    /// How often lost leases and the like are looked for.
    package var reapInterval = Duration.seconds(5)
    /// What becomes of a job after a fault.
    package var retries = RetryPolicy()
    /// A dispatched job that nobody claims goes on its stream again after this.
    package var redispatchAfter = Duration.seconds(10)
    /// A stream entry that its reader did not settle goes to another worker after this.
    package var reclaimIdle = Duration.seconds(30)
    /// A worker that does not end a cancelled job within this is shut out of it.
    package var cancelGrace = Duration.seconds(15)
    /// Jobs kept on the streams beyond those running, at least.
    package var dispatchWindowMin = 4
    /// How long a job's log stays after its end.
    package var logTTL = Duration.seconds(120)
    /// How long an ended job's row stays.
    package var retention = Duration.seconds(7 * 24 * 3600)
    /// Jobs that may wait in all; more are refused.
    package var queuedMax = 50_000
    /// Jobs of one tenant that may wait.
    package var tenantQueuedMax = 1000
    /// Open jobs of one lane.
    package var laneMax = 32
    /// The part of its `maxmemory` that Redis may use before new jobs are refused.
    package var redisMemoryMax = 0.85
    /// What a tenant has that `shares` does not name.
    package var share = Share()
    package var shares: [TenantID: Share] = [:]

    package init() {}

    func share(of tenant: TenantID) -> Share { self.shares[tenant] ?? self.share }
}
