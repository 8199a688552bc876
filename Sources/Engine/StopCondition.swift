package import Domain

/// The figures of a run at the start of an iteration.
package struct RunFigures: Sendable, Equatable {
    package var iterations: Int
    package var maxIterations: Int
    package var elapsed: Duration
    package var timeLimit: Duration
    /// Turns in a row that said nothing and called nothing.
    package var emptyTurns: Int
    package var interruption: Interruption?
}

/// One pure reason to end a run; nil lets it go on.
package protocol StopCondition: Sendable {
    func reason(to figures: RunFigures) -> StopReason?
}

/// Somebody outside wants the end.
package struct ExternalStop: StopCondition {
    package init() {}

    package func reason(to figures: RunFigures) -> StopReason? {
        switch figures.interruption {
        case nil: nil
        case .timeLimit: .timeLimit
        case .cancelled, .released, .leaseLost: .cancelled
        }
    }
}

/// The run's time is up.
package struct WallClockStop: StopCondition {
    package init() {}

    package func reason(to figures: RunFigures) -> StopReason? {
        figures.elapsed >= figures.timeLimit ? .timeLimit : nil
    }
}

/// The iterations are used up.
package struct MaxIterationsStop: StopCondition {
    package init() {}

    package func reason(to figures: RunFigures) -> StopReason? {
        figures.iterations >= figures.maxIterations ? .maxIterations : nil
    }
}

/// Three turns in a row said nothing.
package struct StallStop: StopCondition {
    private static let emptyTurnsMax = 3

    package init() {}

    package func reason(to figures: RunFigures) -> StopReason? {
        figures.emptyTurns >= Self.emptyTurnsMax ? .stalled : nil
    }
}
