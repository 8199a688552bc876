import Engine
import LLM
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TurnRetryPolicyTests {
    private static func faults(_ retries: Int, hasRestarted: Bool = false) -> TurnFaults {
        var faults = TurnFaults()
        faults.retries = retries
        faults.hasRestarted = hasRestarted
        return faults
    }

    @Test(
        arguments: [
            // retries so far, what the dice say, the delay: the ceiling doubles from 1 s.
            (0, 1.0, 1000), (1, 1, 2000), (2, 1, 4000), (3, 1, 8000), (0, 0.5, 500), (3, 0.25, 2000), (3, 0, 0),
        ] as [(Int, Double, Int)]
    )
    func `the delay is full jitter under a ceiling that doubles`(retries: Int, dice: Double, milliseconds: Int) {
        var faults = Self.faults(retries)
        let policy = TurnRetryPolicy { range in
            #expect(range == 0...1)
            return dice
        }
        let decision = policy.decide(ModelError(.serverError, ""), hasBegun: false, &faults)
        #expect(decision == .askAgain(after: .milliseconds(milliseconds)))
        #expect(faults == Self.faults(retries + 1))
    }

    @Test(arguments: [6, 7, 16, 17, 63, 64, 1000])
    func `the ceiling never passes the cap, however many faults there were`(retries: Int) {
        var faults = Self.faults(retries)
        let policy = TurnRetryPolicy(attemptsMax: .max, random: { $0.upperBound })
        let decision = policy.decide(ModelError(.timeout, ""), hasBegun: false, &faults)
        #expect(decision == .askAgain(after: .seconds(60)))
    }

    @Test(arguments: [(0, true), (3, true), (4, false), (5, false)])
    func `a turn is asked five times in all`(retries: Int, isAskedAgain: Bool) {
        var faults = Self.faults(retries)
        let decision = TurnRetryPolicy(random: { _ in 0 }).decide(
            ModelError(.connection, ""),
            hasBegun: false,
            &faults
        )
        #expect((decision != .giveUp) == isAskedAgain)
        #expect(faults.retries == retries + (isAskedAgain ? 1 : 0))
    }

    @Test(arguments: [
        (Duration.seconds(2), 0.0, Duration.seconds(2)), (.milliseconds(200), 1, .seconds(1)),
        (.seconds(60), 0, .seconds(60)),
        (.zero, 0, .zero),
    ])
    func `the provider's own time is the least that is waited`(asked: Duration, dice: Double, delay: Duration) {
        var faults = TurnFaults()
        let decision = TurnRetryPolicy(random: { _ in dice }).decide(
            ModelError(.rateLimited, "", retryAfter: asked),
            hasBegun: false,
            &faults
        )
        #expect(decision == .askAgain(after: delay))
    }

    @Test
    func `a provider that asks for more than the cap is given up`() {
        var faults = TurnFaults()
        let error = ModelError(.rateLimited, "", retryAfter: .milliseconds(60_001))
        #expect(TurnRetryPolicy().decide(error, hasBegun: false, &faults) == .giveUp)
        #expect(faults == TurnFaults())
    }

    @Test(arguments: ModelError.Code.allCases)
    func `only what may pass is asked again`(code: ModelError.Code) {
        let passing: Set<ModelError.Code> = [
            .rateLimited, .overloaded, .serverError, .timeout, .connection, .cutOff,
        ]
        var faults = TurnFaults()
        let decision = TurnRetryPolicy().decide(ModelError(code, ""), hasBegun: false, &faults)
        #expect((decision != .giveUp) == passing.contains(code))
    }

    @Test(arguments: [
        // had begun, had begun before, asked again
        (false, false, true), (true, false, true), (false, true, true), (true, true, false),
    ])
    func `a turn that had begun is asked again once`(hasBegun: Bool, before: Bool, isAskedAgain: Bool) {
        var faults = Self.faults(1, hasRestarted: before)
        let decision = TurnRetryPolicy().decide(ModelError(.cutOff, ""), hasBegun: hasBegun, &faults)
        #expect((decision != .giveUp) == isAskedAgain)
        #expect(faults.hasRestarted == (before || hasBegun))
    }

    @Test
    func `the dice that are there unless others are given stay under the ceiling`() {
        for _ in 0..<200 {
            var faults = Self.faults(2)
            guard
                case .askAgain(let delay) = TurnRetryPolicy().decide(
                    ModelError(.overloaded, ""),
                    hasBegun: false,
                    &faults
                )
            else {
                Issue.record("given up")
                return
            }
            #expect(delay >= .zero && delay <= .seconds(4))
        }
    }
}
