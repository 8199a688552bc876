import Domain
import Engine
import LLM
import Synchronization
import Testing

/// The loop when the provider fails.
@Suite(.timeLimit(.minutes(1)))
struct EngineRetryTests {
    @Test(arguments: [
        ModelError.Code.rateLimited, .overloaded, .serverError, .timeout, .connection, .cutOff,
    ])
    func `a fault before the first event is asked again, and nobody sees it`(code: ModelError.Code) async {
        let run = TestRun(script: [.fails(code), .fails(code), .answer("x")])
        let report = await run.report()
        #expect(report.end == "completed final_answer")
        #expect(report.requests.count == 3)
        #expect(report.events == ["iteration 1/5", "text x"])
        #expect(report.result?.iterations == 1)
        #expect(report.journal.writes.count == 1)
    }

    @Test
    func `a provider that never answers is asked five times in all`() async {
        let run = TestRun(script: Array(repeating: .fails(.serverError), count: 9))
        let report = await run.report()
        #expect(report.end == "failed provider_server_error provider_error")
        #expect(report.requests.count == 5)
        #expect(
            report.outcome
                == .failed(
                    JobFailure(code: "provider_server_error", message: "the provider's words", retryable: true),
                    RunResult(
                        text: "",
                        reasoning: "",
                        actions: [],
                        iterations: 1,
                        usage: TokenUsage(),
                        stopReason: .providerError,
                        failures: 5
                    )
                )
        )
    }

    @Test
    func `every turn has attempts of its own`() async {
        let faults = Array(repeating: ScriptedTurn.fails(.overloaded), count: 4)
        let run = TestRun(script: faults + [.calls(.work("a"))] + faults + [.answer("x")])
        let report = await run.report()
        #expect(report.end == "completed final_answer")
        #expect(report.requests.count == 10)
    }

    @Test
    func `the provider's own time is waited for`() async {
        let run = TestRun(script: [.fails(.rateLimited, retryAfter: .milliseconds(120)), .answer("x")])
        let clock = ContinuousClock()
        let start = clock.now
        #expect(await run.report().end == "completed final_answer")
        #expect(clock.now - start >= .milliseconds(120))
    }

    @Test
    func `a provider that asks for more time than there is fails at once`() async {
        let run = TestRun(script: [.fails(.rateLimited, retryAfter: .seconds(61)), .answer("never")])
        let report = await run.report()
        #expect(report.end == "failed provider_rate_limited provider_error")
        #expect(report.requests.count == 1)
    }

    @Test(arguments: ModelError.Code.allCases.filter { !ModelError($0, "").isRetryable && $0 != .cancelled })
    func `what asking again cannot help fails at once`(code: ModelError.Code) async throws {
        let run = TestRun(script: [.fails(code), .answer("never")])
        let report = await run.report()
        #expect(report.end == "failed \(code.rawValue) provider_error")
        #expect(report.requests.count == 1)
        guard case .failed(let failure, _) = report.outcome else { return }
        #expect(failure.message == "the provider's words" && !failure.retryable)
    }

    @Test(arguments: [[ModelEvent.text("half")], [.reasoning("half")], [.text("a"), .text("b")]])
    func `an answer that is cut off is asked again after a truncate`(half: [ModelEvent]) async {
        let run = TestRun(
            script: [.says(half, error: ModelError(.cutOff, "gone")), .answer("whole")])
        let report = await run.report()
        #expect(report.end == "completed final_answer")
        #expect(report.result?.text == "whole" && report.result?.reasoning == "")
        #expect(report.events.suffix(2) == ["truncate", "text whole"])
        #expect(report.events.filter { $0 == "truncate" }.count == 1)
        #expect(report.requests.last?.dialog == ["user: Question"])
        #expect(report.journal.writes.count == 1)
    }

    @Test
    func `an answer that is cut off twice fails with what there was`() async {
        let cut = ModelError(.cutOff, "gone")
        let run = TestRun(
            script: [.says([.text("one")], error: cut), .says([.text("two")], error: cut), .answer("never")])
        let report = await run.report()
        #expect(report.end == "failed provider_cut_off provider_error")
        #expect(report.requests.count == 2)
        #expect(report.result?.text == "two")
        #expect(report.events == ["iteration 1/5", "text one", "truncate", "text two"])
        #expect(report.journal.writes == [])
    }

    @Test
    func `faults before the first event do not use up the one restart`() async {
        let cut = ModelError(.cutOff, "gone")
        let run = TestRun(
            script: [
                .fails(.serverError), .says([.text("one")], error: cut), .fails(.connection), .answer("whole"),
            ])
        let report = await run.report()
        #expect(report.end == "completed final_answer")
        #expect(report.events == ["iteration 1/5", "text one", "truncate", "text whole"])
    }

    @Test
    func `a fault that cannot be helped in the middle keeps what there was`() async {
        let run = TestRun(
            script: [
                .calls(.work("a"), text: "first"), .says([.text("half")], error: ModelError(.malformed, "odd")),
            ])
        let report = await run.report()
        #expect(report.end == "failed provider_malformed provider_error")
        #expect(report.result?.text == "half" && report.result?.iterations == 2)
        #expect(report.result?.actions.count == 1)
        #expect(report.events.last == "text half")
    }

    @Test
    func `a wait between attempts ends when the run is ended`() async {
        var run = TestRun(script: [.fails(.rateLimited, retryAfter: .seconds(10)), .answer("never")])
        let control = RunControl()
        run.retries = RetryPolicy { _ in
            control.interrupt(.cancelled)
            return 0
        }
        let report = await run.report(control: control)
        #expect(report.end == "cancelled cancelled")
        #expect(report.requests.count == 1)
    }

    @Test
    func `a wait that is too long for a slot puts the job off`() async {
        let run = TestRun(script: [.fails(.rateLimited, retryAfter: .seconds(11)), .answer("never")])
        let report = await run.report()
        #expect(report.end == "put off provider_rate_limited 11.0 seconds")
        #expect(report.requests.count == 1)
        guard case .putOff(let failure, _, _) = report.outcome else { return }
        #expect(failure.message == "the provider's words" && failure.retryable)
    }

    @Test
    func `a job that is put off takes along how often its turn was asked`() async {
        var run = TestRun(
            script: [.fails(.serverError), .fails(.timeout), .fails(.rateLimited, retryAfter: .seconds(11))]
        )
        run.failures = 1
        let report = await run.report()
        #expect(report.requests.count == 3)
        #expect(report.result?.failures == 4)
    }

    @Test(arguments: [(0, 5), (1, 4), (3, 2), (4, 1), (9, 1)])
    func `what earlier attempts have tried counts`(failures: Int, asked: Int) async {
        var run = TestRun(script: Array(repeating: .fails(.serverError), count: 9))
        run.failures = failures
        let report = await run.report()
        #expect(report.end == "failed provider_server_error provider_error")
        #expect(report.requests.count == asked)
    }

    @Test
    func `a turn that came to its end takes the earlier faults with it`() async {
        let faults = Array(repeating: ScriptedTurn.fails(.overloaded), count: 4)
        var run = TestRun(script: [.calls(.work("a"))] + faults + [.answer("x")])
        run.failures = 4
        let report = await run.report()
        #expect(report.end == "completed final_answer")
        #expect(report.requests.count == 6)
    }
}
