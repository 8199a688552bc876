import Domain
import Testing

@testable import Engine

@Suite(.timeLimit(.minutes(1)))
struct StopConditionTests {
    private static func figures(
        iterations: Int = 0,
        max: Int = 5,
        elapsed: Duration = .zero,
        limit: Duration = .seconds(10),
        emptyTurns: Int = 0,
        interruption: Interruption? = nil
    ) -> RunFigures {
        RunFigures(
            iterations: iterations,
            maxIterations: max,
            elapsed: elapsed,
            timeLimit: limit,
            emptyTurns: emptyTurns,
            interruption: interruption
        )
    }

    @Test(
        arguments: [
            (nil, nil), (.cancelled, .cancelled), (.timeLimit, .timeLimit), (.released, .cancelled),
            (.leaseLost, .cancelled),
        ] as [(Interruption?, StopReason?)]
    )
    func `an interruption stops`(interruption: Interruption?, reason: StopReason?) {
        #expect(ExternalStop().reason(to: Self.figures(interruption: interruption)) == reason)
    }

    @Test(
        arguments: [
            (0, nil), (9999, nil), (10_000, .timeLimit), (10_001, .timeLimit),
        ] as [(Int, StopReason?)]
    )
    func `the time that is up stops`(milliseconds: Int, reason: StopReason?) {
        #expect(WallClockStop().reason(to: Self.figures(elapsed: .milliseconds(milliseconds))) == reason)
    }

    @Test(
        arguments: [
            (0, 1, nil), (1, 1, .maxIterations), (4, 5, nil), (5, 5, .maxIterations), (6, 5, .maxIterations),
            (999, 1000, nil),
        ] as [(Int, Int, StopReason?)]
    )
    func `iterations that are used up stop`(iterations: Int, max: Int, reason: StopReason?) {
        #expect(MaxIterationsStop().reason(to: Self.figures(iterations: iterations, max: max)) == reason)
    }

    @Test(arguments: [(0, nil), (2, nil), (3, .stalled), (4, .stalled)] as [(Int, StopReason?)])
    func `three empty turns stop`(emptyTurns: Int, reason: StopReason?) {
        #expect(StallStop().reason(to: Self.figures(emptyTurns: emptyTurns)) == reason)
    }

    @Test
    func `a fresh run has no reason to stop`() {
        let stops: [any StopCondition] = [ExternalStop(), WallClockStop(), MaxIterationsStop(), StallStop()]
        #expect(stops.allSatisfy { $0.reason(to: Self.figures()) == nil })
    }
}
