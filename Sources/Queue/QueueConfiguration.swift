/// The queue's times and bounds; docs/configuration.md has them with their defaults.
package struct QueueConfiguration: Sendable {
    /// How long a claim is valid without a heartbeat.
    package var lease = Duration.seconds(20)
    /// How often a worker beats.
    package var heartbeat = Duration.seconds(5)
    /// How often lost leases and the like are looked for.
    package var reapInterval = Duration.seconds(5)
    /// Leases a job may lose before it is dead.
    package var lostMax = 3
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

    package init() {}
}
