import Domain
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RetryPolicyTests {
    private static func counts(_ failures: Int, hasRestarted: Bool = false) -> RetryPolicy.Counts {
        RetryPolicy.Counts(failures: failures, hasRestarted: hasRestarted)
    }

    private static func decide(
        _ fault: RetryPolicy.Fault,
        after counts: RetryPolicy.Counts = RetryPolicy.Counts(),
        dice: Double = 0
    ) -> RetryPolicy.Decision {
        RetryPolicy(random: { _ in dice }).decide(fault, after: counts)
    }

    // MARK: Delays

    @Test(
        arguments: [
            // failures so far, what the dice say, the delay: the ceiling doubles from 1 s.
            (0, 1.0, 1000), (1, 1, 2000), (2, 1, 4000), (3, 1, 8000), (0, 0.5, 500), (3, 0.25, 2000), (3, 0, 0),
        ] as [(Int, Double, Int)]
    )
    func `the delay is full jitter under a ceiling that doubles`(failures: Int, dice: Double, milliseconds: Int) {
        let policy = RetryPolicy { range in
            #expect(range == 0...1)
            return dice
        }
        let delay = Duration.milliseconds(milliseconds)
        let counts = Self.counts(failures)
        #expect(policy.decide(.provider(retryAfter: nil), after: counts) == .askAgain(after: delay))
        #expect(policy.decide(.cut, after: counts) == .askAgain(after: delay))
        #expect(policy.decide(.storage, after: counts) == .retry(after: delay))
    }

    @Test(arguments: [6, 7, 16, 17, 63, 64, 1000])
    func `the ceiling never passes the cap, however many faults there were`(failures: Int) {
        let policy = RetryPolicy(attemptsMax: .max, holdMax: .seconds(60), random: { $0.upperBound })
        let decision = policy.decide(.provider(retryAfter: nil), after: Self.counts(failures))
        #expect(decision == .askAgain(after: .seconds(60)))
    }

    @Test(arguments: [
        (Duration.seconds(2), 0.0, Duration.seconds(2)), (.milliseconds(200), 1, .seconds(1)),
        (.seconds(10), 0, .seconds(10)),
        (.zero, 0, .zero),
    ])
    func `the provider's own time is the least that is waited`(asked: Duration, dice: Double, delay: Duration) {
        #expect(Self.decide(.provider(retryAfter: asked), dice: dice) == .askAgain(after: delay))
    }

    @Test(arguments: [(10_000, true), (10_001, false), (60_000, false)])
    func `a slot is held for a short wait only`(milliseconds: Int, isHeld: Bool) {
        let asked = Duration.milliseconds(milliseconds)
        let decision = Self.decide(.provider(retryAfter: asked))
        #expect(decision == (isHeld ? .askAgain(after: asked) : .retry(after: asked)))
    }

    @Test
    func `a wait that the dice make too long for a slot gives it back too`() {
        let policy = RetryPolicy(base: .seconds(20), random: { $0.upperBound })
        #expect(policy.decide(.provider(retryAfter: nil), after: Self.counts(0)) == .retry(after: .seconds(20)))
    }

    @Test
    func `a provider that asks for more than the cap is given up`() {
        #expect(Self.decide(.provider(retryAfter: .milliseconds(60_001))) == .bury)
    }

    @Test
    func `the dice that are there unless others are given stay under the ceiling`() {
        for _ in 0..<200 {
            guard case .askAgain(let delay) = RetryPolicy().decide(.provider(retryAfter: nil), after: Self.counts(2))
            else {
                Issue.record("not asked again")
                return
            }
            #expect(delay >= .zero && delay <= .seconds(4))
        }
    }

    // MARK: How often

    @Test(arguments: [(0, true), (3, true), (4, false), (5, false)])
    func `the infrastructure is tried five times in all, and then the job is dead`(failures: Int, isTriedAgain: Bool) {
        for fault in [RetryPolicy.Fault.provider(retryAfter: nil), .cut, .storage] {
            #expect((Self.decide(fault, after: Self.counts(failures)) == .bury) == !isTriedAgain)
        }
    }

    @Test(arguments: [
        // was cut before, asked again
        (false, true), (true, false),
    ])
    func `a turn that had begun is asked again once`(before: Bool, isAskedAgain: Bool) {
        let counts = Self.counts(1, hasRestarted: before)
        #expect(Self.decide(.cut, after: counts) == (isAskedAgain ? .askAgain(after: .zero) : .bury))
    }

    @Test
    func `a restart does not use up the tries of a turn that has not begun`() {
        let counts = Self.counts(1, hasRestarted: true)
        #expect(Self.decide(.provider(retryAfter: nil), after: counts) == .askAgain(after: .zero))
    }

    @Test(arguments: [(0, false), (2, false), (3, true), (4, true)])
    func `a lost lease counts apart from the attempts`(lost: Int, isBuried: Bool) {
        let counts = RetryPolicy.Counts(failures: 100, lost: lost)
        #expect(Self.decide(.leaseLost, after: counts) == (isBuried ? .bury : .requeue))
    }

    // MARK: What no count changes

    @Test(arguments: [
        (RetryPolicy.Fault.shutdown, RetryPolicy.Decision.requeue), (.work, .fail), (.undecodable, .bury),
    ])
    func `some faults are decided whatever happened before`(fault: RetryPolicy.Fault, decision: RetryPolicy.Decision) {
        for counts in [RetryPolicy.Counts(), RetryPolicy.Counts(failures: 100, lost: 100, hasRestarted: true)] {
            #expect(Self.decide(fault, after: counts) == decision)
        }
    }

    @Test
    func `the least of a policy tries nothing twice`() {
        let policy = RetryPolicy(attemptsMax: 1, lostMax: 0)
        for fault in [RetryPolicy.Fault.provider(retryAfter: nil), .cut, .storage, .leaseLost] {
            #expect(policy.decide(fault, after: RetryPolicy.Counts()) == .bury)
        }
    }
}
