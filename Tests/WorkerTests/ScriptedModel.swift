import Domain
import LLM
import Synchronization
import TestSupport

/// A model that says what the last user message's script says; without one it answers `Answer to <message>`.
final class ScriptedModel: ModelProvider {
    enum Line: Sendable {
        case say(String)
        case think(String)
        case call(ToolCall)
        /// Waits until `open` names the gate.
        case gate(String)
        /// Nothing more until the turn is cancelled.
        case hang
        case fail(ModelError)
    }

    private struct State {
        var scripts: [String: [[Line]]] = [:]
        var openGates: Set<String> = []
        var asked: [[ModelMessage]] = []
        var live: [String: Int] = [:]
        var liveMax = 0
        var liveMaxOfOne = 0
    }

    private let state = Mutex(State())

    /// The turns that answer a message, one after the other; the last one is repeated.
    func script(_ message: String, _ turns: [Line]...) {
        self.state.withLock { $0.scripts[message] = turns }
    }

    func open(_ gate: String) { self.state.withLock { _ = $0.openGates.insert(gate) } }

    /// The prompts so far.
    var asked: [[ModelMessage]] { self.state.withLock { $0.asked } }
    /// The last user messages of the prompts so far.
    var askedMessages: [String] { self.asked.map { Self.message(of: $0) } }
    /// The most turns that were open at once.
    var liveMax: Int { self.state.withLock { $0.liveMax } }
    /// The turns that are open now.
    var live: Int { self.state.withLock { $0.live.values.reduce(0, +) } }
    /// The most turns of one and the same first message, that is conversation, that were open at once.
    var liveMaxOfOne: Int { self.state.withLock { $0.liveMaxOfOne } }

    func stream(_ request: ModelRequest) -> ModelEventStream {
        let message = Self.message(of: request.messages)
        let conversation = request.messages.first { $0.role == .user }?.content ?? ""
        return ModelEventStream {
            let lines = self.state.withLock { state -> [Line] in
                let turns = state.scripts[message] ?? [[.say("Answer to "), .say(message)]]
                let turn = state.asked.count { Self.message(of: $0) == message }
                state.asked.append(request.messages)
                state.live[conversation, default: 0] += 1
                state.liveMax = max(state.liveMax, state.live.values.reduce(0, +))
                state.liveMaxOfOne = max(state.liveMaxOfOne, state.live.values.max() ?? 0)
                return turns[min(turn, turns.count - 1)]
            }
            return Source(model: self, conversation: conversation, lines: lines)
        }
    }

    private static func message(of prompt: [ModelMessage]) -> String {
        prompt.last { $0.role == .user }?.content ?? ""
    }

    private func isOpen(_ gate: String) -> Bool { self.state.withLock { $0.openGates.contains(gate) } }

    private func ended(_ conversation: String) {
        self.state.withLock { $0.live[conversation, default: 1] -= 1 }
    }

    private final class Source: ModelEventSource {
        private let model: ScriptedModel
        private let conversation: String
        private var lines: [Line]
        private var isFinished = false

        init(model: ScriptedModel, conversation: String, lines: [Line]) {
            self.model = model
            self.conversation = conversation
            self.lines = lines
        }

        deinit { self.model.ended(self.conversation) }

        func next(isolation actor: isolated (any Actor)?) async throws(ModelError) -> ModelEvent? {
            while !self.isFinished {
                guard !Task.isCancelled else { throw ModelError(.cancelled, "cancelled") }
                guard !self.lines.isEmpty else {
                    self.isFinished = true
                    return .finish(.stop)
                }
                switch self.lines.removeFirst() {
                case .say(let text): return .text(text)
                case .think(let text): return .reasoning(text)
                case .call(let call): return .toolCall(call)
                case .gate(let name): try await Self.wait(for: name, of: self.model)
                case .hang: try await Self.wait(for: nil, of: self.model)
                case .fail(let error): throw error
                }
            }
            return nil
        }

        private static func wait(for gate: String?, of model: ScriptedModel) async throws(ModelError) {
            while gate.map({ !model.isOpen($0) }) ?? true {
                if Task.isCancelled { throw ModelError(.cancelled, "cancelled") }
                await dawdle(for: .milliseconds(2))
            }
        }
    }
}
