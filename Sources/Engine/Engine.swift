package import Domain
package import LLM

/// The iteration loop and its stop conditions: from a claimed job to its outcome.
///
/// Does no I/O of its own. One iteration: look at the stop conditions, build the prompt, ask the model (streamed), write
/// the turn into the journal, run its tool calls, write each into the journal. All state of a run is in its `RunState`;
/// nothing is shared between runs.
package struct Engine: Sendable {
    private let provider: any ModelProvider
    private let retries: RetryPolicy
    private let stops: [any StopCondition]

    package init(
        provider: any ModelProvider,
        retries: RetryPolicy = RetryPolicy(),
        stops: [any StopCondition] = [ExternalStop(), WallClockStop(), MaxIterationsStop(), StallStop()]
    ) {
        self.provider = provider
        self.retries = retries
        self.stops = stops
    }

    /// Runs to the end, or until `control` interrupts it.
    ///
    /// `finished` are the steps of earlier attempts, which count.
    package func run(
        _ request: RunRequest,
        after finished: [Step],
        tools: any ToolBox,
        journal: any Journal,
        events: any EventSink,
        control: RunControl
    ) async -> RunOutcome {
        var run = RunState(request, startedAt: control.startedAt)
        do {
            try run.resume(after: finished)
            return try await self.iterate(&run, tools: tools, journal: journal, events: events, control: control)
        } catch {
            return run.outcome(of: error, interruption: control.interruption)
        }
    }

    private func iterate(
        _ run: inout RunState,
        tools: any ToolBox,
        journal: any Journal,
        events: any EventSink,
        control: RunControl
    ) async throws -> RunOutcome {
        while true {
            try await self.runOpenCalls(of: &run, tools: tools, journal: journal, events: events)
            if run.hasAnswer { return run.completed(.finalAnswer) }
            let figures = run.figures(at: .now, interruption: control.interruption)
            if let reason = self.stops.lazy.compactMap({ $0.reason(to: figures) }).first {
                return run.stopped(reason, interruption: control.interruption)
            }
            run.beginIteration()
            await events.iteration(run.iteration, of: run.request.maxIterations)
            let turn = try await self.turn(of: &run, tools: tools.tools, events: events)
            let covers = await events.flush()
            // An interrupted flush may have left text behind, which nobody would send any more: the turn does not count.
            try Task.checkCancellation()
            try await journal.record(try run.step(of: turn, covers: covers))
            run.apply(turn)
        }
    }

    /// Asks the model once, or again where the retry policy says so.
    private func turn(of run: inout RunState, tools: [ModelTool], events: any EventSink) async throws -> Turn {
        let request = ModelRequest(
            model: run.request.model,
            messages: run.prompt(),
            tools: tools,
            streaming: run.request.streaming,
            includeReasoning: run.request.includeReasoning
        )
        while true {
            run.partial = Turn()
            do {
                try await self.ask(request, into: &run.partial, events: events)
                return run.partial
            } catch {
                let hasBegun = !run.partial.isEmpty
                let counts = run.faults
                run.faults.failures += 1
                let delay = try self.delay(after: error, hasBegun: hasBegun, counts: counts)
                if hasBegun {
                    run.faults.hasRestarted = true
                    await events.truncateIteration()
                }
                run.partial = Turn()
                try await Task.sleep(for: delay)
            }
        }
    }

    /// After how long the turn is asked again; throws when it is not, by this attempt.
    private func delay(after error: ModelError, hasBegun: Bool, counts: RetryPolicy.Counts) throws -> Duration {
        switch self.retries.decide(error.fault(hasBegun: hasBegun), after: counts) {
        case .askAgain(let delay): return delay
        case .retry(let delay): throw PutOff(failure: error.failure, after: delay)
        case .requeue, .fail, .bury: throw error
        }
    }

    private func ask(
        _ request: ModelRequest,
        into turn: inout Turn,
        events: any EventSink
    ) async throws(ModelError) {
        for try await event in self.provider.stream(request) {
            switch event {
            case .text(let text):
                turn.text += text
                await events.text(text)
            case .reasoning(let text):
                turn.reasoning += text
                await events.reasoning(text)
            case .toolCall(let call): turn.toolCalls.append(call)
            case .usage(let usage): turn.usage += usage
            case .finish(let reason): turn.finish = reason.name
            }
        }
    }

    /// Runs the calls of the last turn that have no result yet, in order, each written into the journal before and after.
    private func runOpenCalls(
        of run: inout RunState,
        tools: any ToolBox,
        journal: any Journal,
        events: any EventSink
    ) async throws {
        while let call = run.openCalls.first {
            try Task.checkCancellation()
            let intent = run.intent(of: call)
            try await journal.record(intent)
            await events.actionBegins(call)
            let result = await tools.run(call)
            try Task.checkCancellation()
            await events.actionEnds(result)
            try await journal.record(try run.step(of: result, call: call, covers: await events.flush()))
            run.apply(result)
        }
    }
}
