package import LLM

/// The faults of one turn so far.
package struct TurnFaults: Sendable, Equatable {
    /// Times the turn was asked again.
    package var retries = 0
    /// Whether it was asked again after it had begun, which happens once.
    package var hasRestarted = false

    package init() {}
}

/// When a model turn that failed is asked again, and after how long: full jitter, and never before the provider's own time.
package struct TurnRetryPolicy: Sendable {
    package enum Decision: Sendable, Equatable {
        case askAgain(after: Duration)
        case giveUp
    }

    /// Times a turn is asked in all.
    package var attemptsMax: Int
    /// The first delay's upper end; doubles with each fault.
    package var base: Duration
    /// The most a delay can be.
    ///
    /// A provider that asks for more is given up.
    package var cap: Duration
    private let random: @Sendable (ClosedRange<Double>) -> Double

    package init(
        attemptsMax: Int = 5,
        base: Duration = .seconds(1),
        cap: Duration = .seconds(60),
        random: @escaping @Sendable (ClosedRange<Double>) -> Double = { Double.random(in: $0) }
    ) {
        self.attemptsMax = attemptsMax
        self.base = base
        self.cap = cap
        self.random = random
    }

    /// Decides about one fault and counts it.
    package func decide(_ error: ModelError, hasBegun: Bool, _ faults: inout TurnFaults) -> Decision {
        guard error.isRetryable, faults.retries + 1 < self.attemptsMax, !(hasBegun && faults.hasRestarted) else {
            return .giveUp
        }
        let asked = error.retryAfter ?? .zero
        guard asked <= self.cap else { return .giveUp }
        // The exponent is bounded so that the product stays a duration.
        let ceiling = min(self.cap, self.base * Double(1 << min(faults.retries, 16)))
        faults.retries += 1
        if hasBegun { faults.hasRestarted = true }
        return .askAgain(after: max(asked, ceiling * self.random(0...1)))
    }
}
