import Domain
import Engine
import LLM
import Synchronization
import TestSupport

/// What one turn of the scripted model does.
enum ScriptedTurn: Sendable {
    /// Says this and ends, with an error or without.
    case says([ModelEvent], error: ModelError? = nil)
    /// Says this, tells `reached`, and then waits until the task is cancelled.
    case hangs(after: [ModelEvent])

    /// An answer of one piece.
    static func answer(_ text: String, usage: TokenUsage? = nil) -> ScriptedTurn {
        .says([.text(text)] + (usage.map { [.usage($0)] } ?? []) + [.finish(.stop)])
    }

    static func calls(_ calls: ToolCall..., text: String? = nil) -> ScriptedTurn {
        .says((text.map { [.text($0)] } ?? []) + calls.map(ModelEvent.toolCall) + [.finish(.toolCalls)])
    }

    static func fails(_ code: ModelError.Code, retryAfter: Duration? = nil) -> ScriptedTurn {
        .says([], error: ModelError(code, "the provider's words", retryAfter: retryAfter))
    }

    static let empty = ScriptedTurn.says([.finish(.stop)])
}

/// A model that says what the script says, turn by turn, and keeps what it was asked.
final class ScriptedModel: ModelProvider {
    private struct State {
        var script: [ScriptedTurn]
        var requests: [ModelRequest] = []
    }

    private let state: Mutex<State>
    /// Called when a turn that hangs has said what it has to say.
    private let onHang: @Sendable () -> Void

    init(_ script: [ScriptedTurn], onHang: @escaping @Sendable () -> Void = {}) {
        self.state = Mutex(State(script: script))
        self.onHang = onHang
    }

    var requests: [ModelRequest] { self.state.withLock { $0.requests } }

    func stream(_ request: ModelRequest) -> ModelEventStream {
        let turn = self.state.withLock { state -> ScriptedTurn in
            state.requests.append(request)
            let end = ScriptedTurn.says([], error: ModelError(.badRequest, "the script is over"))
            return state.script.isEmpty ? end : state.script.removeFirst()
        }
        switch turn {
        case .says(let events, let error): return ModelEventStream(events, error: error)
        case .hangs(let events):
            return ModelEventStream { [onHang] in HangingSource(events: events, onHang: onHang) }
        }
    }
}

/// Says its events and then nothing more, until its task is cancelled.
private struct HangingSource: ModelEventSource {
    var events: [ModelEvent]
    let onHang: @Sendable () -> Void

    mutating func next(isolation actor: isolated (any Actor)?) async throws(ModelError) -> ModelEvent? {
        if !self.events.isEmpty { return self.events.removeFirst() }
        self.onHang()
        await hang()
        throw ModelError(.cancelled, "cancelled")
    }
}

/// A journal in memory that may fail.
final class MemoryJournal: Journal {
    struct Gone: Error {}

    private let state = Mutex((steps: [Step](), remaining: Int.max))
    private let onWrite: @Sendable (Step) -> Void

    /// `failingAfter` writes succeed, each told to `onWrite`; all later ones fail.
    init(failingAfter writes: Int = .max, onWrite: @escaping @Sendable (Step) -> Void = { _ in }) {
        self.onWrite = onWrite
        self.state.withLock { $0.remaining = writes }
    }

    /// Every write in order.
    var writes: [Step] { self.state.withLock { $0.steps } }

    /// What a later attempt would read: the newest state of each step.
    var steps: [Step] {
        let newest = self.writes.reduce(into: [Int: Step]()) { $0[$1.index] = $1 }
        return newest.values.sorted { $0.index < $1.index }
    }

    func record(_ step: Step) async throws {
        try self.state.withLock { state in
            guard state.remaining > 0 else { throw Gone() }
            state.remaining -= 1
            state.steps.append(step)
        }
        self.onWrite(step)
    }
}

/// The events of a run as lines; the id of the last event is `7-<number of lines>`.
final class EventLines: EventSink {
    private let state = Mutex([String]())

    var lines: [String] { self.state.withLock { $0 } }

    private func add(_ line: String) { self.state.withLock { $0.append(line) } }

    func iteration(_ number: Int, of max: Int) async { self.add("iteration \(number)/\(max)") }
    func text(_ text: String) async { self.add("text \(text)") }
    func reasoning(_ text: String) async { self.add("reasoning \(text)") }
    func truncateIteration() async { self.add("truncate") }
    func actionBegins(_ call: ToolCall) async { self.add("begins \(call.id)") }
    func actionEnds(_ result: ActionResult) async { self.add("ends \(result.toolCallID) \(result.status)") }
    func flush() async -> EventID { EventID(epoch: 7, sequence: Int64(self.lines.count)) }
}

/// One tool, `work`, that does what it is told.
final class ScriptedTools: ToolBox {
    let tools = [ModelTool(name: "work", description: "Works.", parametersSchema: "{}")]
    private let calls = Mutex([ToolCall]())
    private let work: @Sendable (ToolCall) async -> ActionResult

    init(
        _ work: @escaping @Sendable (ToolCall) async -> ActionResult = {
            ActionResult(action: $0.name, result: "did \($0.arguments)", status: .completed, toolCallID: $0.id)
        }
    ) {
        self.work = work
    }

    /// The calls that were run.
    var ran: [String] { self.calls.withLock { $0.map(\.id) } }

    func run(_ call: ToolCall) async -> ActionResult {
        self.calls.withLock { $0.append(call) }
        return await self.work(call)
    }
}

/// Everything around one run.
struct TestRun {
    var script: [ScriptedTurn] = []
    var history = [Message(id: "u1", role: .user, content: "Question", timestamp: Timestamp(milliseconds: 1))]
    var model = ModelConfiguration(
        id: "m",
        model: "m",
        provider: "p",
        wireFormat: .openAI,
        apiBase: "http://localhost"
    )
    var maxIterations = 5
    var timeLimit = Duration.seconds(600)
    /// How often the job was put off before.
    var failures = 0
    var startedAt = ContinuousClock.Instant.now
    var finished: [Step] = []
    var tools: any ToolBox = ScriptedTools()
    var journal = MemoryJournal()
    var includeReasoning = true
    var streaming = true
    /// No waiting between attempts, unless the provider asks for it.
    var retries = RetryPolicy(random: { _ in 0 })
    let events = EventLines()

    /// What a run came to.
    struct Report {
        let outcome: RunOutcome
        let requests: [ModelRequest]
        let events: [String]
        let journal: MemoryJournal

        /// What the run made, whatever its end.
        var result: RunResult? {
            switch self.outcome {
            case .completed(let result), .failed(_, let result), .putOff(_, _, let result), .cancelled(let result):
                result
            case .released, .abandoned: nil
            }
        }

        /// The outcome in one word, with its reason.
        var end: String {
            switch self.outcome {
            case .completed(let result): "completed \(result.stopReason.rawValue)"
            case .failed(let failure, let result): "failed \(failure.code) \(result.stopReason.rawValue)"
            case .putOff(let failure, let delay, _): "put off \(failure.code) \(delay)"
            case .cancelled(let result): "cancelled \(result.stopReason.rawValue)"
            case .released: "released"
            case .abandoned: "abandoned"
            }
        }
    }

    /// Runs to the end; `interruption` comes when the model hangs.
    func report(interruptingWith interruption: Interruption? = nil) async -> Report {
        let control = RunControl(startedAt: self.startedAt)
        return await self.report(control: control) {
            if let interruption { control.interrupt(interruption) }
        }
    }

    func report(control: RunControl, onHang: @escaping @Sendable () -> Void = {}) async -> Report {
        let provider = ScriptedModel(self.script, onHang: onHang)
        let engine = Engine(provider: provider, retries: self.retries)
        let request = RunRequest(
            systemPrompt: "You are a test.",
            history: self.history,
            model: self.model,
            streaming: self.streaming,
            includeReasoning: self.includeReasoning,
            maxIterations: self.maxIterations,
            timeLimit: self.timeLimit,
            failures: self.failures
        )
        // As a worker does it: a task that an interruption cancels. It is awaited below.
        let run = Task { [finished, tools, journal, events] in
            await engine.run(
                request,
                after: finished,
                tools: tools,
                journal: journal,
                events: events,
                control: control
            )
        }
        control.onInterrupt { run.cancel() }
        let outcome = await run.value
        return Report(
            outcome: outcome,
            requests: provider.requests,
            events: self.events.lines,
            journal: self.journal
        )
    }
}

extension ToolCall {
    /// A call of `work` whose arguments are its id.
    static func work(_ id: String) -> ToolCall { ToolCall(id: id, name: "work", arguments: id) }
}

extension ModelRequest {
    /// The prompt as lines `role: content`, the system prompt left out.
    var dialog: [String] { self.messages.dropFirst().map { "\($0.role.rawValue): \($0.content)" } }
}
