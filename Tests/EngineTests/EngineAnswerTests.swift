import Domain
import Engine
import LLM
import Testing

/// The loop when nothing goes wrong.
@Suite(.timeLimit(.minutes(1)))
struct EngineAnswerTests {
    @Test
    func `a turn without tool calls is the answer`() async {
        var run = TestRun()
        run.script = [.says([.text("Hel"), .text("lo"), .finish(.stop)])]
        let report = await run.report()
        #expect(report.end == "completed final_answer")
        #expect(report.result?.text == "Hello")
        #expect(report.result?.iterations == 1)
        #expect(report.events == ["iteration 1/5", "text Hel", "text lo"])
        #expect(report.requests.count == 1)
    }

    @Test
    func `reasoning is streamed, kept beside the answer and journaled`() async throws {
        var run = TestRun()
        run.script = [.says([.reasoning("hm"), .text("Yes"), .reasoning("!"), .finish(.stop)])]
        let report = await run.report()
        #expect(report.result?.text == "Yes")
        #expect(report.result?.reasoning == "hm!")
        #expect(report.events == ["iteration 1/5", "reasoning hm", "text Yes", "reasoning !"])
        let step = try #require(report.journal.steps.first)
        #expect(step.result?.contains(#""reasoning":"hm!""#) == true)
    }

    @Test
    func `what was asked for reaches the model`() async throws {
        var run = TestRun()
        run.script = [.answer("x")]
        run.includeReasoning = false
        run.streaming = false
        let request = try #require(await run.report().requests.first)
        #expect(!request.includeReasoning && !request.streaming)
        #expect(request.model == run.model)
        #expect(request.tools == run.tools.tools)
        #expect(request.messages.first == ModelMessage(role: .system, content: "You are a test."))
        #expect(request.dialog == ["user: Question"])
    }

    @Test
    func `the turn is journaled with what it covers before the run ends`() async throws {
        var run = TestRun()
        run.script = [.answer("x", usage: TokenUsage(promptTokens: 3, completionTokens: 4))]
        let report = await run.report()
        #expect(
            report.journal.writes == [
                Step(
                    index: 0,
                    kind: .modelTurn,
                    state: .done,
                    result: #"{"finish":"stop","reasoning":"","text":"x","tool_calls":[],"#
                        + #""usage":{"cached_tokens":0,"completion_tokens":4,"prompt_tokens":3,"reasoning_tokens":0}}"#,
                    usage: TokenUsage(promptTokens: 3, completionTokens: 4),
                    covers: EventID(epoch: 7, sequence: 2)
                )
            ]
        )
    }

    @Test
    func `three empty turns in a row end a run as stalled`() async {
        var run = TestRun()
        run.script = [.empty, .says([.reasoning("hm"), .finish(.stop)]), .empty, .answer("never")]
        let report = await run.report()
        #expect(report.end == "completed stalled")
        #expect(report.requests.count == 3)
        #expect(report.result?.text == "")
    }

    @Test
    func `an empty turn is asked again with the same prompt, and an answer counts`() async {
        var run = TestRun()
        run.script = [.empty, .empty, .answer("at last")]
        let report = await run.report()
        #expect(report.end == "completed final_answer")
        #expect(report.result?.text == "at last" && report.result?.iterations == 3)
        #expect(report.requests.map(\.dialog) == Array(repeating: ["user: Question"], count: 3))
    }

    @Test
    func `empty turns are counted in a row only`() async {
        var run = TestRun()
        run.maxIterations = 9
        run.script = [.empty, .empty, .calls(.work("a")), .empty, .empty, .answer("x")]
        #expect(await run.report().end == "completed final_answer")
    }

    @Test(arguments: [1, 2, 5])
    func `iterations end at their limit when the model only calls tools`(limit: Int) async {
        var run = TestRun()
        run.maxIterations = limit
        run.script = (0..<9).map { .calls(.work("call\($0)"), text: "thinking \($0)") }
        let report = await run.report()
        #expect(report.end == "completed max_iterations")
        #expect(report.requests.count == limit)
        #expect(report.result?.iterations == limit)
        #expect(report.result?.actions.count == limit)
        #expect(report.result?.text == "thinking \(limit - 1)")
    }

    @Test
    func `an answer in the last iteration is an answer`() async {
        var run = TestRun()
        run.maxIterations = 2
        run.script = [.calls(.work("a")), .answer("done")]
        #expect(await run.report().end == "completed final_answer")
    }

    @Test
    func `a run shares nothing with the next`() async {
        var first = TestRun()
        first.script = [.calls(.work("a")), .answer("one", usage: TokenUsage(promptTokens: 1))]
        let second = TestRun(script: [.answer("two", usage: TokenUsage(promptTokens: 5))])
        _ = await first.report()
        let report = await second.report()
        #expect(report.result?.actions == [] && report.result?.usage.promptTokens == 5)
        #expect(report.requests.map(\.dialog) == [["user: Question"]])
    }

    @Test
    func `usage is summed over turns and keeps the provider's own cost`() async {
        var run = TestRun()
        run.model.promptPrice = 1_000_000
        run.model.completionPrice = 1_000_000
        let usage = TokenUsage(
            promptTokens: 10,
            completionTokens: 5,
            reasoningTokens: 2,
            cachedTokens: 1,
            cost: 0.25
        )
        run.script = [
            .says([.toolCall(.work("a")), .usage(usage), .finish(.toolCalls)]), .answer("x", usage: usage),
        ]
        #expect(
            await run.report().result?.usage
                == TokenUsage(
                    promptTokens: 20,
                    completionTokens: 10,
                    reasoningTokens: 4,
                    cachedTokens: 2,
                    cost: 0.5
                )
        )
    }

    @Test(
        arguments: [
            (2.0, 8.0, 0.001 * 2 + 0.0005 * 8), (0, 0, 0), (nil, 8, nil), (2, nil, nil), (nil, nil, nil),
        ] as [(Double?, Double?, Double?)]
    )
    func `a cost is computed when both prices are known`(prompt: Double?, completion: Double?, cost: Double?) async {
        var run = TestRun()
        run.model.promptPrice = prompt
        run.model.completionPrice = completion
        run.script = [.answer("x", usage: TokenUsage(promptTokens: 1000, completionTokens: 500))]
        let computed = await run.report().result?.usage.cost
        #expect(computed.map { ($0 * 1e9).rounded() } == cost.map { ($0 * 1e9).rounded() })
    }
}
