import Domain
import Engine
import LLM
import Testing

/// A second attempt, after a crash at every place of the first.
@Suite(.timeLimit(.minutes(1)))
struct EngineResumeTests {
    private static let usage = TokenUsage(promptTokens: 10, completionTokens: 1)
    private static let script: [ScriptedTurn] = [
        .says([.text("one"), .toolCall(.work("a")), .toolCall(.work("b")), .usage(Self.usage), .finish(.toolCalls)]),
        .says([.text("two"), .toolCall(.work("c")), .usage(Self.usage), .finish(.toolCalls)]),
        .says([.text("three"), .usage(Self.usage), .finish(.stop)]),
    ]

    /// The script's turns and the calls that are left to an attempt that finds `writes` writes of the first.
    @Test(arguments: 0...9)
    func `an attempt goes on where the journal ends`(writes: Int) async throws {
        let whole = await TestRun(script: Self.script).report()
        let journal = whole.journal.writes.prefix(writes)
        try #require(whole.journal.writes.count == 9)
        let newest = journal.reduce(into: [Int: Step]()) { $0[$1.index] = $1 }
        let steps = newest.values.sorted { $0.index < $1.index }
        let turnsDone = steps.filter { $0.kind == .modelTurn }.count
        let tools = ScriptedTools()
        var run = TestRun(script: Array(Self.script.dropFirst(turnsDone)))
        run.finished = steps
        run.tools = tools
        let report = await run.report()

        #expect(report.end == "completed final_answer")
        #expect(report.result?.text == "three" && report.result?.iterations == 3)
        #expect(report.result?.usage == whole.result?.usage)
        #expect(report.requests.count == 3 - turnsDone)
        // No call that may have been run is run again; every call has its result in the prompt.
        let known = Set(steps.compactMap(\.call?.id))
        #expect(tools.ran == ["a", "b", "c"].filter { !known.contains($0) })
        #expect(report.result?.actions.map(\.toolCallID) == ["a", "b", "c"])
        let open = steps.filter { $0.state == .intent }.compactMap(\.call?.id)
        #expect(report.result?.actions.filter { $0.status == .error }.map(\.toolCallID) == open)
        // New steps go on with the numbers of the old ones.
        #expect(report.journal.steps.map(\.index) == Array(steps.count..<6))
    }

    @Test
    func `an answer that was journaled ends the run without asking`() async {
        let first = await TestRun(script: [.answer("done", usage: Self.usage)]).report()
        let second = await TestRun(finished: first.journal.steps).report()
        #expect(second.outcome == first.outcome)
        #expect(second.requests.isEmpty && second.events.isEmpty && second.journal.writes.isEmpty)
    }

    @Test
    func `what earlier attempts said is in the prompt as it was`() async {
        let whole = await TestRun(script: Self.script).report()
        let second = await TestRun(script: [Self.script[2]], finished: Array(whole.journal.steps.prefix(5))).report()
        #expect(second.requests.map(\.messages) == whole.requests.suffix(1).map(\.messages))
    }

    @Test(arguments: [Step.State.intent, .unknown])
    func `a call whose outcome is not known is told so to the model`(state: Step.State) async throws {
        let whole = await TestRun(script: Self.script).report()
        var steps = Array(whole.journal.steps.prefix(2))
        try #require(steps.count == 2)
        steps[1].state = state
        steps[1].result = nil
        let second = await TestRun(script: Array(Self.script.dropFirst()), finished: steps).report()
        #expect(second.requests.first?.dialog.contains { $0.hasPrefix("tool: ") && $0.contains("not known") } == true)
        #expect(second.requests.first?.dialog.last == "tool: did b")
    }

    @Test
    func `iterations of earlier attempts count`() async {
        let whole = await TestRun(script: Self.script).report()
        var run = TestRun(script: [.answer("never")], finished: Array(whole.journal.steps.prefix(5)))
        run.maxIterations = 2
        let report = await run.report()
        #expect(report.end == "completed max_iterations")
        #expect(report.requests.isEmpty)
        #expect(report.result?.text == "two")
    }

    @Test
    func `empty turns of earlier attempts count`() async {
        let first = await TestRun(script: [.empty, .empty, .hangs(after: [])])
            .report(interruptingWith: .released)
        let second = await TestRun(script: [.empty, .answer("never")], finished: first.journal.steps).report()
        #expect(second.end == "completed stalled")
    }

    @Test
    func `calls with the same id each keep their own result`() async {
        let same = ScriptedTurn.calls(.work("same"), ToolCall(id: "same", name: "work", arguments: "2"))
        let whole = await TestRun(script: [same, .answer("x")]).report()
        let tools = ScriptedTools()
        var run = TestRun(script: [.answer("x")], finished: Array(whole.journal.steps.prefix(2)))
        run.tools = tools
        let second = await run.report()
        #expect(tools.ran == ["same"])
        #expect(second.requests.last?.dialog == whole.requests.last?.dialog)
    }

    @Test
    func `a journal that cannot be read fails the job instead of asking everything again`() async {
        let odd = Step(index: 0, kind: .modelTurn, state: .done, result: "{", usage: nil, covers: .zero)
        let report = await TestRun(script: [.answer("never")], finished: [odd]).report()
        #expect(report.end == "failed undecodable provider_error")
        #expect(report.requests.isEmpty)
    }
}
