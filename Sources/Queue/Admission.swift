import Domain

/// Decides whether one more job is accepted, from figures that are renewed now and then and what was accepted since.
///
/// A value without I/O. The lane's cap is not here: the ledger keeps it, exactly, in the submitting statement.
struct Admission {
    /// What is known of the queue.
    struct Figures: Sendable {
        /// Jobs that wait, by tenant.
        var waiting: [TenantID: Int] = [:]
        /// Slots of the live workers.
        var slots = 0
        /// The mean time for which a job held its slot lately; nil while nothing is known.
        var meanRun: Duration?
        /// The used part of Redis' `maxmemory`; 0 without one.
        var redisMemory = 0.0
    }

    enum Verdict: Equatable {
        case admitted
        /// Too many wait; there may be room after this.
        case full(TooMany, retryAfter: Duration)
        /// Redis is nearly full.
        case redisFull
    }

    /// Which cap is reached.
    enum TooMany: Equatable {
        case all(max: Int)
        case tenant(max: Int)
    }

    private static let retryAfter = Duration.seconds(1)...Duration.seconds(60)
    private static let assumedRun = Duration.seconds(5)

    private(set) var figures = Figures()
    /// False until the first figures came: nothing is refused for want of knowledge.
    private(set) var isInformed = false
    private var total = 0
    /// Jobs admitted since the newest figures were begun to be gathered, which may not have them.
    private var admitted: [TenantID: Int] = [:]

    /// New figures are about to be gathered.
    mutating func beginUpdate() { self.admitted = [:] }

    /// Takes figures; what was admitted while they were gathered is added, perhaps counted twice until the next ones.
    mutating func update(_ figures: Figures) {
        self.figures = figures
        self.figures.waiting.merge(self.admitted, uniquingKeysWith: +)
        self.total = self.figures.waiting.values.reduce(0, +)
        self.isInformed = true
    }

    /// Judges a job of a tenant, and counts it when it is admitted.
    mutating func admit(_ tenant: TenantID, under configuration: QueueConfiguration) -> Verdict {
        guard self.isInformed else { return .admitted }
        if self.figures.redisMemory > configuration.redisMemoryMax { return .redisFull }
        let ofTenant = self.figures.waiting[tenant] ?? 0
        if ofTenant >= configuration.tenantQueuedMax {
            return .full(.tenant(max: configuration.tenantQueuedMax), retryAfter: self.wait(for: ofTenant))
        }
        if self.total >= configuration.queuedMax {
            return .full(.all(max: configuration.queuedMax), retryAfter: self.wait(for: self.total))
        }
        self.admitted[tenant, default: 0] += 1
        self.figures.waiting[tenant] = ofTenant + 1
        self.total += 1
        return .admitted
    }

    /// The time in which the slots take that many jobs.
    func wait(for queued: Int) -> Duration {
        let run = self.figures.meanRun ?? Self.assumedRun
        let time = run * (Double(queued) / Double(max(1, self.figures.slots)))
        return min(max(time, Self.retryAfter.lowerBound), Self.retryAfter.upperBound)
    }
}
