import Domain
import LLM

/// One run: what it was asked, what it has done.
///
/// A value, changed only by the loop.
struct RunState {
    let request: RunRequest
    private let startedAt: ContinuousClock.Instant
    private(set) var iteration = 0
    /// What the model and its tools have said in this run, in prompt form.
    private var exchange: [ModelMessage] = []
    private(set) var openCalls: [ToolCall] = []
    private var actions: [ActionResult] = []
    private var last = Turn()
    /// The turn that is under way; its text counts if the run ends now.
    var partial = Turn()
    private var usage = TokenUsage()
    /// What went wrong since the last turn that came to its end, earlier attempts included.
    var faults: RetryPolicy.Counts
    private var emptyTurns = 0
    private var nextStep = 0

    init(_ request: RunRequest, startedAt: ContinuousClock.Instant) {
        self.request = request
        self.startedAt = startedAt
        self.faults = RetryPolicy.Counts(failures: request.failures)
    }

    /// Whether the last turn was an answer: text and nothing left to run.
    var hasAnswer: Bool {
        self.iteration > 0 && self.openCalls.isEmpty && self.last.toolCalls.isEmpty && !self.last.text.isEmpty
    }

    func prompt() -> [ModelMessage] {
        Prompt(systemPrompt: self.request.systemPrompt, model: self.request.model)
            .messages(history: self.request.history, exchange: self.exchange)
    }

    func figures(at now: ContinuousClock.Instant, interruption: Interruption?) -> RunFigures {
        RunFigures(
            iterations: self.iteration,
            maxIterations: self.request.maxIterations,
            elapsed: self.startedAt.duration(to: now),
            timeLimit: self.request.timeLimit,
            emptyTurns: self.emptyTurns,
            interruption: interruption
        )
    }

    // MARK: Progress

    mutating func beginIteration() {
        self.iteration += 1
        self.partial = Turn()
    }

    mutating func apply(_ turn: Turn) {
        self.nextStep += 1
        self.faults = RetryPolicy.Counts()
        self.last = turn
        self.partial = Turn()
        self.usage += turn.usage.priced(by: self.request.model)
        self.emptyTurns = turn.text.isEmpty && turn.toolCalls.isEmpty ? self.emptyTurns + 1 : 0
        self.openCalls = turn.toolCalls
        guard !turn.text.isEmpty || !turn.toolCalls.isEmpty else { return }
        self.exchange.append(
            ModelMessage(
                role: .assistant,
                content: turn.text,
                toolCalls: turn.toolCalls,
                reasoning: turn.reasoning.isEmpty ? nil : turn.reasoning
            )
        )
    }

    mutating func apply(_ result: ActionResult) {
        self.nextStep += 1
        self.actions.append(result)
        // One call only: a provider may have given the same id to several.
        if let index = self.openCalls.firstIndex(where: { $0.id == result.toolCallID }) {
            self.openCalls.remove(at: index)
        }
        self.exchange.append(ModelMessage(role: .tool, content: result.result, toolCallID: result.toolCallID))
    }

    // MARK: Journal

    func step(of turn: Turn, covers: EventID) throws -> Step {
        Step(
            index: self.nextStep,
            kind: .modelTurn,
            state: .done,
            result: try JSON.text(turn),
            usage: turn.usage,
            covers: covers
        )
    }

    func intent(of call: ToolCall) -> Step {
        Step(
            index: self.nextStep,
            kind: .toolCall,
            state: .intent,
            call: call,
            result: nil,
            usage: nil,
            covers: .zero
        )
    }

    func step(of result: ActionResult, call: ToolCall, covers: EventID) throws -> Step {
        Step(
            index: self.nextStep,
            kind: .toolCall,
            state: result.status == .completed ? .done : .failed,
            call: call,
            result: try JSON.text(result),
            usage: nil,
            covers: covers
        )
    }

    /// Takes over what earlier attempts have done: nothing of it is asked or run again.
    mutating func resume(after steps: [Step]) throws {
        defer { self.faults = RetryPolicy.Counts(failures: self.request.failures) }
        for step in steps {
            switch (step.kind, step.state) {
            case (.modelTurn, .done):
                self.iteration += 1
                self.apply(try JSON.decode(Turn.self, from: step.result ?? "{}"))
            case (.modelTurn, _): return
            case (.toolCall, .done), (.toolCall, .failed):
                self.apply(try JSON.decode(ActionResult.self, from: step.result ?? "{}"))
            case (.toolCall, .intent), (.toolCall, .unknown):
                guard let call = step.call else { return }
                self.apply(
                    ActionResult(
                        action: call.name,
                        result: "The call was interrupted; whether it took effect is not known.",
                        status: .error,
                        toolCallID: call.id
                    )
                )
            }
        }
    }

    // MARK: Ends

    func completed(_ reason: StopReason) -> RunOutcome { .completed(self.result(reason)) }

    /// The end that a stop condition asks for.
    func stopped(_ reason: StopReason, interruption: Interruption?) -> RunOutcome {
        switch interruption {
        case .leaseLost: .abandoned
        case .released: .released
        case .cancelled: .cancelled(self.result(.cancelled))
        case .timeLimit, nil: .completed(self.result(reason))
        }
    }

    /// The end that an error means; an interruption explains whatever error it caused.
    func outcome(of error: any Error, interruption: Interruption?) -> RunOutcome {
        if interruption != nil { return self.stopped(.timeLimit, interruption: interruption) }
        switch error {
        case let error as ModelError where error.code != .cancelled:
            return .failed(error.failure, self.result(.providerError))
        case let error as PutOff: return .putOff(error.failure, after: error.after, self.result(.providerError))
        case is ModelError, is CancellationError: return .released
        case is DecodingError:
            let failure = JobFailure(
                code: "undecodable",
                message: "The journal of the job cannot be read.",
                retryable: false
            )
            return .failed(failure, self.result(.providerError))
        case let error as JobFailure: return .failed(error, self.result(.providerError))
        default: return .abandoned
        }
    }

    private func result(_ reason: StopReason) -> RunResult {
        let turn = self.partial.isEmpty ? self.last : self.partial
        return RunResult(
            text: turn.text,
            reasoning: turn.reasoning,
            actions: self.actions,
            iterations: self.iteration,
            usage: self.usage,
            stopReason: reason,
            failures: self.faults.failures
        )
    }
}

extension TokenUsage {
    /// The usage with a cost: the provider's own, else by the model's configured prices, else none.
    fileprivate func priced(by model: ModelConfiguration) -> TokenUsage {
        guard self.cost == nil, let promptPrice = model.promptPrice, let completionPrice = model.completionPrice
        else { return self }
        var priced = self
        priced.cost =
            (Double(self.promptTokens) * promptPrice + Double(self.completionTokens) * completionPrice) / 1_000_000
        return priced
    }
}
