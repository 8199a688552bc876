import Domain
import Testing

@testable import Queue

/// The decision whether one more job is accepted, without ledger or Redis.
@Suite(.timeLimit(.minutes(1)))
struct AdmissionTests {
    private static func configuration() -> QueueConfiguration {
        var configuration = QueueConfiguration()
        configuration.tenantQueuedMax = 3
        configuration.queuedMax = 5
        configuration.redisMemoryMax = 0.85
        return configuration
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var waiting: [TenantID: Int] = [:]
        var memory = 0.0
        let verdict: Admission.Verdict
        var testDescription: String { "\(self.waiting) waiting, \(self.memory) of Redis" }
    }

    @Test(arguments: [
        Case(verdict: .admitted),
        Case(waiting: ["me": 2, "other": 2], verdict: .admitted),
        Case(waiting: ["me": 3], verdict: .full(.tenant(max: 3), retryAfter: .seconds(3))),
        Case(waiting: ["other": 3], verdict: .admitted),
        Case(waiting: ["me": 1, "other": 4], verdict: .full(.all(max: 5), retryAfter: .seconds(5))),
        Case(waiting: ["one": 3, "two": 2], verdict: .full(.all(max: 5), retryAfter: .seconds(5))),
        Case(waiting: ["me": 3, "other": 3], verdict: .full(.tenant(max: 3), retryAfter: .seconds(3))),
        Case(memory: 0.85, verdict: .admitted),
        Case(memory: 0.8501, verdict: .redisFull),
        Case(waiting: ["me": 9], memory: 1.2, verdict: .redisFull),
    ])
    func `a job is admitted, or refused by the cap that is reached`(_ given: Case) {
        var admission = Admission()
        admission.update(
            Admission.Figures(
                waiting: given.waiting,
                slots: 2,
                meanRun: .seconds(2),
                redisMemory: given.memory
            )
        )
        #expect(admission.admit("me", under: Self.configuration()) == given.verdict)
    }

    @Test func `nothing is refused for want of knowledge`() {
        var admission = Admission()
        for _ in 0..<100 { #expect(admission.admit("me", under: Self.configuration()) == .admitted) }
    }

    @Test func `what was admitted counts until the next figures, what was refused does not`() {
        var admission = Admission()
        admission.update(Admission.Figures(waiting: ["me": 1]))
        let verdicts = (0..<4).map { _ in admission.admit("me", under: Self.configuration()) }
        #expect(verdicts.map { $0 == .admitted } == [true, true, false, false])
        #expect(admission.figures.waiting == ["me": 3])
        #expect(admission.admit("other", under: Self.configuration()) == .admitted)
        admission.beginUpdate()
        admission.update(Admission.Figures(waiting: ["me": 2]))
        #expect(admission.admit("me", under: Self.configuration()) == .admitted)
    }

    @Test func `what is admitted while figures are gathered is not forgotten with them`() {
        var admission = Admission()
        admission.update(Admission.Figures())
        admission.beginUpdate()
        for _ in 0..<3 { #expect(admission.admit("me", under: Self.configuration()) == .admitted) }
        admission.update(Admission.Figures())
        #expect(admission.admit("me", under: Self.configuration()) != .admitted)
        #expect(admission.admit("other", under: Self.configuration()) == .admitted)
    }

    @Test(
        arguments: [
            // queued, slots, milliseconds of a run (nil: nothing known), milliseconds to wait
            (10, 2, 2000, 10_000), (10, 10, 2000, 2000), (0, 4, 2000, 1000), (1, 4, 100, 1000), (1000, 2, 2000, 60_000),
            (4, 0, 2000, 8000), (6, 3, nil, 10_000),
        ] as [(Int, Int, Int?, Int)]
    )
    func `the time to come back is what the slots need, between one second and sixty`(
        queued: Int,
        slots: Int,
        run: Int?,
        wait: Int
    ) {
        var admission = Admission()
        admission.update(Admission.Figures(slots: slots, meanRun: run.map { .milliseconds($0) }))
        #expect(admission.wait(for: queued) == .milliseconds(wait))
    }
}
