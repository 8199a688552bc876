import Domain
import Engine
import LLM
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EngineToolTests {
    @Test
    func `a tool call is run, journaled before and after, and its result goes to the model`() async {
        var run = TestRun()
        run.script = [.calls(.work("a"), text: "Let me see."), .answer("done")]
        let report = await run.report()
        #expect(report.end == "completed final_answer")
        #expect(
            report.events == [
                "iteration 1/5", "text Let me see.", "begins a", "ends a completed", "iteration 2/5", "text done",
            ]
        )
        #expect(report.requests.last?.dialog == ["user: Question", "assistant: Let me see.", "tool: did a"])
        #expect(report.requests.last?.messages.last?.toolCallID == "a")
        #expect(report.requests.last?.messages.dropLast().last?.toolCalls == [.work("a")])
        let writes = report.journal.writes
        #expect(writes.map(\.index) == [0, 1, 1, 2])
        #expect(writes.map(\.state) == [.done, .intent, .done, .done])
        #expect(writes.map(\.kind) == [.modelTurn, .toolCall, .toolCall, .modelTurn])
        #expect(writes.map(\.call) == [nil, .work("a"), .work("a"), nil])
        #expect(writes.dropFirst(2).first?.covers == EventID(epoch: 7, sequence: 4))
    }

    @Test
    func `an intent is in the journal before the tool runs`() async {
        var run = TestRun()
        let journal = run.journal
        run.tools = ScriptedTools { call in
            #expect(journal.writes.last?.state == .intent && journal.writes.last?.call == call)
            return ActionResult(action: "work", result: "", status: .completed, toolCallID: call.id)
        }
        run.script = [.calls(.work("a"), .work("b")), .answer("done")]
        #expect(await run.report().result?.actions.count == 2)
    }

    @Test
    func `several calls of a turn run in order, and every one gets its result`() async {
        var run = TestRun()
        let tools = ScriptedTools()
        run.tools = tools
        run.script = [.calls(.work("a"), .work("b"), .work("c")), .answer("done")]
        let report = await run.report()
        #expect(tools.ran == ["a", "b", "c"])
        #expect(report.result?.actions.map(\.toolCallID) == ["a", "b", "c"])
        #expect(report.requests.last?.dialog.suffix(3) == ["tool: did a", "tool: did b", "tool: did c"])
        #expect(report.journal.writes.map(\.index) == [0, 1, 1, 2, 2, 3, 3, 4])
    }

    @Test
    func `calls to which a provider gave the same id are all run`() async {
        var run = TestRun()
        let tools = ScriptedTools()
        run.tools = tools
        let second = ToolCall(id: "same", name: "work", arguments: "2")
        run.script = [.calls(.work("same"), second), .answer("done")]
        let report = await run.report()
        #expect(tools.ran == ["same", "same"])
        #expect(report.requests.last?.dialog.suffix(2) == ["tool: did same", "tool: did 2"])
    }

    @Test
    func `an unknown tool is told to the model and does not end the run`() async {
        var run = TestRun()
        run.tools = NoTools()
        run.script = [.calls(ToolCall(id: "a", name: "fly", arguments: "{}")), .answer("I cannot fly.")]
        let report = await run.report()
        #expect(report.end == "completed final_answer")
        #expect(report.requests.first?.tools == [])
        #expect(report.requests.last?.dialog.last?.contains("no tool 'fly'") == true)
        #expect(report.result?.actions.map(\.status) == [.error])
        #expect(report.journal.steps.map(\.state) == [.done, .failed, .done])
    }

    @Test(arguments: [
        (ActionResult.Status.completed, Step.State.done), (.error, .failed), (.denied, .failed), (.timeout, .failed),
    ])
    func `a call that went wrong is journaled as failed and told to the model`(
        status: ActionResult.Status,
        state: Step.State
    ) async {
        var run = TestRun()
        run.tools = ScriptedTools { call in
            ActionResult(action: call.name, result: "so it went", status: status, toolCallID: call.id)
        }
        run.script = [.calls(.work("a")), .answer("done")]
        let report = await run.report()
        #expect(report.journal.steps.map(\.state) == [.done, state, .done])
        #expect(report.requests.last?.dialog.last == "tool: so it went")
        #expect(report.events.contains("ends a \(status)"))
        #expect(report.end == "completed final_answer")
    }

    @Test(arguments: 0..<4)
    func `a journal that fails ends the run at once, and nothing is run or asked after it`(writes: Int) async {
        var run = TestRun()
        let tools = ScriptedTools()
        run.tools = tools
        run.journal = MemoryJournal(failingAfter: writes)
        run.script = [.calls(.work("a")), .answer("done")]
        let report = await run.report()
        #expect(report.end == "abandoned")
        #expect(report.requests.count == (writes < 3 ? 1 : 2))
        #expect(tools.ran == (writes < 2 ? [] : ["a"]))
    }

    @Test
    func `a run that is ended while a tool runs starts no other tool`() async {
        var run = TestRun()
        let control = RunControl()
        let tools = ScriptedTools { call in
            control.interrupt(.cancelled)
            return ActionResult(action: "work", result: "", status: .completed, toolCallID: call.id)
        }
        run.tools = tools
        run.script = [.calls(.work("a"), .work("b"), text: "so far"), .answer("never")]
        let report = await run.report(control: control)
        #expect(report.end == "cancelled cancelled")
        #expect(tools.ran == ["a"])
        #expect(report.result?.text == "so far")
        #expect(report.requests.count == 1)
    }

    @Test
    func `a run that is ended between a turn and its tools starts none`() async {
        var run = TestRun()
        let control = RunControl()
        let tools = ScriptedTools()
        run.tools = tools
        run.journal = MemoryJournal { step in
            if step.kind == .modelTurn { control.interrupt(.cancelled) }
        }
        run.script = [.calls(.work("a"), text: "so far"), .answer("never")]
        let report = await run.report(control: control)
        #expect(report.end == "cancelled cancelled")
        #expect(report.result?.text == "so far")
        #expect(tools.ran == [])
        #expect(report.journal.writes.count == 1)
    }

    @Test
    func `a run that is ended before it resumes does not run the calls that were open`() async {
        let first = await TestRun(script: [.calls(.work("a")), .answer("x")]).report()
        var run = TestRun(finished: Array(first.journal.steps.prefix(1)))
        let tools = ScriptedTools()
        run.tools = tools
        let control = RunControl()
        control.interrupt(.leaseLost)
        let report = await run.report(control: control)
        #expect(report.end == "abandoned")
        #expect(tools.ran == [] && report.journal.writes == [])
    }
}
