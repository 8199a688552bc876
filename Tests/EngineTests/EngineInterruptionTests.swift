import Domain
import Engine
import LLM
import Testing

/// The loop when it is ended from outside.
@Suite(.timeLimit(.minutes(1)))
struct EngineInterruptionTests {
    private static let ends: [(Interruption, String)] = [
        (.cancelled, "cancelled cancelled"), (.timeLimit, "completed time_limit"), (.released, "released"),
        (.leaseLost, "abandoned"),
    ]

    @Test(arguments: Self.ends)
    func `in the middle of a turn the model is left at once and the text so far is kept`(
        interruption: Interruption,
        end: String
    ) async {
        let run = TestRun(script: [.hangs(after: [.reasoning("hm"), .text("half "), .text("an answer")])])
        let report = await run.report(interruptingWith: interruption)
        #expect(report.end == end)
        if let result = report.result {
            #expect(result.text == "half an answer" && result.reasoning == "hm" && result.iterations == 1)
        }
        #expect(report.journal.writes == [])
        #expect(!report.events.contains("truncate"))
    }

    @Test(arguments: Self.ends)
    func `in a later turn the actions and the usage of the earlier ones are kept`(
        interruption: Interruption,
        end: String
    ) async {
        let usage = TokenUsage(promptTokens: 3)
        let run = TestRun(
            script: [
                .says([.text("first"), .toolCall(.work("a")), .usage(usage), .finish(.toolCalls)]),
                .hangs(after: [.text("second")]),
            ])
        let report = await run.report(interruptingWith: interruption)
        #expect(report.end == end)
        if let result = report.result {
            #expect(result.text == "second" && result.iterations == 2 && result.usage == usage)
            #expect(result.actions.map(\.toolCallID) == ["a"])
        }
        #expect(report.journal.steps.map(\.state) == [.done, .done])
    }

    @Test(arguments: Self.ends)
    func `before anything was said the text of the turn before counts`(
        interruption: Interruption,
        end: String
    ) async {
        let run = TestRun(script: [.calls(.work("a"), text: "first"), .hangs(after: [])])
        let report = await run.report(interruptingWith: interruption)
        #expect(report.end == end)
        if let result = report.result { #expect(result.text == "first") }
    }

    @Test(arguments: Self.ends)
    func `a run that is ended before it begins asks nothing`(interruption: Interruption, end: String) async {
        let run = TestRun(script: [.answer("never")])
        let control = RunControl()
        control.interrupt(interruption)
        let report = await run.report(control: control)
        #expect(report.end == end)
        #expect(report.requests.isEmpty && report.events.isEmpty)
    }

    @Test(arguments: Self.ends)
    func `whatever error an interruption causes, the interruption is the reason`(
        interruption: Interruption,
        end: String
    ) async {
        var run = TestRun(script: [.fails(.serverError), .answer("never")])
        let control = RunControl()
        run.retries = RetryPolicy { _ in
            control.interrupt(interruption)
            return 0
        }
        #expect(await run.report(control: control).end == end)
    }

    @Test
    func `an answer that is there when the end is asked for is an answer`() async throws {
        let first = TestRun(script: [.answer("done")])
        let steps = await first.report().journal.steps
        let control = RunControl()
        control.interrupt(.cancelled)
        let report = await TestRun(finished: steps).report(control: control)
        #expect(report.end == "completed final_answer")
    }

    @Test
    func `a run whose time was up before an iteration ends with what it has`() async {
        var run = TestRun(script: [.answer("never")])
        run.timeLimit = .seconds(10)
        run.startedAt = .now - .seconds(10)
        let report = await run.report()
        #expect(report.end == "completed time_limit")
        #expect(report.requests.isEmpty)
    }

    @Test
    func `a task that is cancelled without a reason gives the job back`() async {
        let model = ScriptedModel([.hangs(after: [.text("half")])]) { withUnsafeCurrentTask { $0?.cancel() } }
        let run = Task {
            await Engine(provider: model).run(
                RunRequest(systemPrompt: "", history: [], model: TestRun().model),
                after: [],
                tools: NoTools(),
                journal: MemoryJournal(),
                events: EventLines(),
                control: RunControl()
            )
        }
        #expect(await run.value == .released)
    }
}

@Suite(.timeLimit(.minutes(1)))
struct RunControlTests {
    @Test(arguments: [
        ([Interruption.cancelled, .timeLimit], Interruption.cancelled), ([.timeLimit, .released], .timeLimit),
        ([.released, .cancelled], .released), ([.cancelled, .leaseLost], .leaseLost),
        ([.leaseLost, .cancelled], .leaseLost), ([.timeLimit, .leaseLost, .released], .leaseLost),
    ])
    func `the first reason counts, and a lost lease outweighs all`(
        reasons: [Interruption],
        expected: Interruption
    ) {
        let control = RunControl()
        #expect(control.interruption == nil)
        for reason in reasons { control.interrupt(reason) }
        #expect(control.interruption == expected)
    }

    @Test
    func `the run is ended by each reason after it was told how, and at once when one was given before`() async {
        let control = RunControl()
        await confirmation(expectedCount: 2) { ended in
            control.onInterrupt { ended() }
            control.interrupt(.cancelled)
            control.interrupt(.leaseLost)
        }
        await confirmation { ended in control.onInterrupt { ended() } }
    }
}
