/// What becomes of a job after a fault: the one table that decides it, for a turn under way and for the whole job.
///
/// | fault | decision |
/// |---|---|
/// | the provider failed before its first event | asked again, full jitter, never before its own time; a long wait gives the slot back |
/// | its answer was cut in the middle | asked again once |
/// | a part of ours is out of reach | tried again later, as above |
/// | the lease ran out | back to the queue; `lost` counts, apart from the attempts |
/// | the worker ends | back to the queue; nothing counts |
/// | the work itself failed: a request that is refused, a model that is not there | `failed` |
/// | nobody can read the job | `dead` |
///
/// What has been tried too often is `dead`: kept for people to look at and to put back.
public struct RetryPolicy: Sendable {
    /// What went wrong.
    public enum Fault: Sendable, Equatable {
        /// The provider could not answer; it may have said how long to wait.
        case provider(retryAfter: Duration?)
        /// The provider's answer ended in its middle.
        case cut
        /// The database, or another part of ours, is out of reach.
        case storage
        /// The worker lost its lease.
        case leaseLost
        /// The worker is told to end.
        case shutdown
        /// The work itself; the same again would fail again.
        case work
        /// The job cannot be read.
        case undecodable
    }

    /// What has gone wrong so far.
    public struct Counts: Sendable, Equatable {
        /// Faults of the infrastructure that were answered by trying again, in this attempt and in earlier ones.
        public var failures: Int
        /// Leases lost.
        public var lost: Int
        /// Whether the turn was asked again after it had begun.
        public var hasRestarted: Bool

        /// Counts, none unless said otherwise.
        public init(failures: Int = 0, lost: Int = 0, hasRestarted: Bool = false) {
            self.failures = failures
            self.lost = lost
            self.hasRestarted = hasRestarted
        }
    }

    /// What is done.
    public enum Decision: Sendable, Equatable {
        /// The turn is asked again by the same attempt.
        case askAgain(after: Duration)
        /// The job is `scheduled`, and holds no slot meanwhile.
        case retry(after: Duration)
        /// The job goes back to the queue, in its place.
        case requeue
        /// The job is `failed`.
        case fail
        /// The job is `dead`.
        case bury
    }

    /// Times that something is tried in all.
    public var attemptsMax: Int
    /// The first delay's upper end; doubles with each failure.
    public var base: Duration
    /// The most a delay can be; a provider that asks for more is given up.
    public var cap: Duration
    /// The longest delay for which a slot is held.
    public var holdMax: Duration
    /// Leases that a job may lose.
    public var lostMax: Int
    private let random: @Sendable (ClosedRange<Double>) -> Double

    /// A policy with the defaults of docs/configuration.md.
    public init(
        attemptsMax: Int = 5,
        base: Duration = .seconds(1),
        cap: Duration = .seconds(60),
        holdMax: Duration = .seconds(10),
        lostMax: Int = 3,
        random: @escaping @Sendable (ClosedRange<Double>) -> Double = { Double.random(in: $0) }
    ) {
        self.attemptsMax = attemptsMax
        self.base = base
        self.cap = cap
        self.holdMax = holdMax
        self.lostMax = lostMax
        self.random = random
    }

    /// Decides about one fault.
    public func decide(_ fault: Fault, after counts: Counts) -> Decision {
        switch fault {
        case .shutdown: return .requeue
        case .leaseLost: return counts.lost >= self.lostMax ? .bury : .requeue
        case .work: return .fail
        case .undecodable: return .bury
        case .cut:
            guard !counts.hasRestarted, self.mayTryAgain(counts) else { return .bury }
            return .askAgain(after: self.delay(after: counts, asked: nil))
        case .provider(let asked):
            guard self.mayTryAgain(counts), (asked ?? .zero) <= self.cap else { return .bury }
            let delay = self.delay(after: counts, asked: asked)
            return delay <= self.holdMax ? .askAgain(after: delay) : .retry(after: delay)
        case .storage:
            return self.mayTryAgain(counts) ? .retry(after: self.delay(after: counts, asked: nil)) : .bury
        }
    }

    private func mayTryAgain(_ counts: Counts) -> Bool { counts.failures + 1 < self.attemptsMax }

    /// Full jitter up to `min(cap, base · 2ⁿ)`, and at least what the provider asked for.
    private func delay(after counts: Counts, asked: Duration?) -> Duration {
        // The exponent is bounded so that the product stays a duration.
        let ceiling = min(self.cap, self.base * Double(1 << min(counts.failures, 16)))
        return max(asked ?? .zero, ceiling * self.random(0...1))
    }
}
