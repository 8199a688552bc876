import Testing

@testable import penguin_chaos

/// Load and faults come from the seed and from nothing else.
@Suite(.timeLimit(.minutes(1)))
struct PlanTests {
    private static func shape(seed: UInt64 = 7) -> ChaosShape {
        var shape = ChaosShape()
        shape.seed = seed
        shape.jobs = 500
        shape.milliseconds = 120_000
        return shape
    }

    @Test func `the same seed is the same plan`() {
        let (one, two) = (ChaosPlan(Self.shape()), ChaosPlan(Self.shape()))
        #expect(one == two)
        #expect(one.fingerprint == two.fingerprint)
        #expect(one.description == two.description)
    }

    @Test func `another seed is another plan`() {
        let (one, two) = (ChaosPlan(Self.shape(seed: 7)), ChaosPlan(Self.shape(seed: 8)))
        #expect(one.messages != two.messages)
        #expect(one.faults != two.faults)
        #expect(one.fingerprint != two.fingerprint)
    }

    @Test func `a plan stays the same from version to version`() {
        // A seed that found something must find it again, also when there are more kinds of faults.
        var shape = Self.shape()
        shape.kinds = ["worker-kill", "rolling-restart", "web-kill", "redis-flush"]
        #expect(ChaosPlan(shape).fingerprint == "2a469b37fb080c04")
    }

    @Test func `which faults are chosen does not change the load`() {
        var shape = Self.shape()
        shape.kinds = [FaultKind.redisFlush.rawValue]
        let plan = ChaosPlan(shape)
        #expect(plan.messages == ChaosPlan(Self.shape()).messages)
        #expect(!plan.faults.isEmpty)
        #expect(plan.faults.allSatisfy { $0.kind == .redisFlush })
    }

    @Test func `no kinds are no faults`() {
        var shape = Self.shape()
        shape.kinds = []
        #expect(ChaosPlan(shape).faults == [])
    }

    @Test func `messages are spread evenly, numbered in their conversation and never the same`() {
        let plan = ChaosPlan(Self.shape())
        #expect(plan.messages.count == 500)
        #expect(plan.messages.map(\.at) == (0..<500).map { $0 * 240 })
        for messages in Dictionary(grouping: plan.messages, by: \.conversation).values {
            #expect(messages.map(\.number) == Array(0..<messages.count))
        }
        let texts = plan.messages.flatMap { [$0.text(round: 0), $0.text(round: 1)] }
        #expect(Set(texts).count == texts.count)
        #expect(plan.messages.contains { $0.cancelAfter != nil })
        #expect(Set(plan.messages.map(\.way)) == Set(PlannedMessage.Way.allCases))
    }

    @Test(arguments: [1, 2, 3, 4, 5])
    func `two faults never have one victim at once`(_ seed: UInt64) {
        var shape = Self.shape(seed: seed)
        shape.milliseconds = 600_000
        shape.faultEvery = 1000
        let faults = ChaosPlan(shape).faults
        #expect(faults.count > 100)
        #expect(Set(faults.map(\.kind)) == Set(FaultKind.allCases))
        for (index, fault) in faults.enumerated() {
            for later in faults[(index + 1)...] where later.at <= fault.at + fault.lasting {
                #expect(fault.victims(in: shape).isDisjoint(with: later.victims(in: shape)), "\(fault) and \(later)")
            }
        }
    }

    @Test func `a sleeping worker sleeps beyond its lease`() {
        var shape = Self.shape()
        shape.kinds = [FaultKind.workerSleep.rawValue]
        #expect(ChaosPlan(shape).faults.allSatisfy { $0.lasting > shape.lease })
    }
}
