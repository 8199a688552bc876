import Domain
import Foundation

/// One answer in the making: takes chunks, gives events.
///
/// Text that comes in one network piece leaves as one event, so that a fast model costs as many events as it has
/// network pieces and not as it has tokens.
struct ChatAnswer {
    /// Bytes of text and reasoning in one answer.
    static let answerBytesMax = 16 * 1024 * 1024
    /// Bytes of arguments over all calls of one answer.
    static let toolArgumentBytesMax = 4 * 1024 * 1024
    static let toolCallsMax = 128

    private let model: ModelConfiguration
    private let includeReasoning: Bool
    /// Events that are ready.
    private var events: [ModelEvent] = []
    /// Text of one kind that goes on growing until the piece ends.
    private var run: [UInt8] = []
    private var runKind = ChatChunkScanner.Kind.text
    private var scratch: [UInt8] = []
    private var calls: [PartialCall] = []
    private var usage: TokenUsage?
    private var finish: FinishReason?
    private var answerBytes = 0
    private var argumentBytes = 0
    /// Whether any chunk was understood.
    private(set) var hasBegun = false
    /// Set once `finish` is among the events.
    private(set) var isComplete = false
    /// Set by the fault that ends the answer; the events before it still count.
    private(set) var failure: ModelError?

    private struct PartialCall {
        var index: Int?
        var id: String
        var name: String
        var arguments: String
    }

    init(model: ModelConfiguration, includeReasoning: Bool) {
        self.model = model
        self.includeReasoning = includeReasoning
    }

    /// Whether the answer needs nothing more than its formal end.
    var hasFinishReason: Bool { self.finish != nil }

    /// Takes the data of one server-sent event; false when nothing after it matters.
    mutating func take(_ data: UnsafeRawBufferPointer) -> Bool {
        if data.elementsEqual("[DONE]".utf8) {
            self.complete()
            return false
        }
        if let found = ChatChunkScanner.scan(data, into: &self.scratch) {
            self.hasBegun = true
            if let kind = found.kind { self.append(self.scratch, of: kind) }
            if let finish = found.finish { self.finish = finish }
        } else {
            self.takeUnusual([UInt8](data))
        }
        return self.failure == nil
    }

    /// Takes a whole answer that came as one JSON object.
    mutating func takeWhole(_ json: [UInt8]) {
        self.takeUnusual(json)
        guard self.failure == nil else { return }
        if self.finish == nil, self.events.isEmpty, self.run.isEmpty, self.calls.isEmpty {
            self.fail(ModelError(.malformed, "the answer has no choices: \(Self.excerpt(of: json))"))
        } else {
            self.complete()
        }
    }

    /// Ends the answer with a fault, unless it has ended.
    mutating func fail(_ error: ModelError) {
        guard self.failure == nil, !self.isComplete else { return }
        self.flush()
        self.failure = error
    }

    /// Ends the answer well: tool calls, usage, finish.
    mutating func complete() {
        guard !self.isComplete, self.failure == nil else { return }
        self.flush()
        self.isComplete = true
        self.events += self.calls.map { .toolCall(ToolCall(id: $0.id, name: $0.name, arguments: $0.arguments)) }
        if let usage { self.events.append(.usage(usage)) }
        // Some servers end a turn that calls tools with `stop`.
        let reason = self.finish ?? .stop
        self.events.append(.finish(reason == .stop && !self.calls.isEmpty ? .toolCalls : reason))
    }

    /// What is ready; to be asked after each network piece.
    mutating func takeEvents() -> [ModelEvent] {
        self.flush()
        let events = self.events
        self.events = []
        return events
    }

    /// The start of what could not be read, for an error.
    static func excerpt(of bytes: some Sequence<UInt8>) -> String {
        String(decoding: Array(bytes.prefix(200)), as: UTF8.self)
    }
}

// MARK: Chunks of another shape

extension ChatAnswer {
    private mutating func takeUnusual(_ json: [UInt8]) {
        guard let chunk = try? ChatChunk.decode(json) else {
            self.fail(ModelError(.malformed, "this is no chunk of an answer: \(Self.excerpt(of: json))"))
            return
        }
        self.hasBegun = true
        if let usage = chunk.usage { self.usage = usage.inDomain(of: self.model) }
        if let choice = chunk.choices?.first(where: { $0.index ?? 0 == 0 }) { self.take(choice) }
        if let fault = chunk.fault { self.fail(fault.error(status: nil)) }
    }

    private mutating func take(_ choice: ChatChunk.Choice) {
        if let reasoning = choice.said?.reasoning { self.append(reasoning.utf8, of: .reasoning) }
        if let content = choice.said?.content { self.append(content.utf8, of: .text) }
        for call in choice.said?.toolCalls ?? [] { self.take(call) }
        if let finish = choice.finishReason, !finish.isEmpty { self.finish = FinishReason(wireName: finish) }
    }

    private mutating func take(_ delta: ChatChunk.Call) {
        guard let position = self.position(of: delta) else {
            self.fail(ModelError(.answerTooLarge, "the answer calls more than \(Self.toolCallsMax) tools"))
            return
        }
        if let id = delta.id, !id.isEmpty, delta.index != nil || self.calls[position].name.isEmpty {
            self.calls[position].id = id
        }
        // The name comes whole with the first delta; some servers repeat it with each.
        if let name = delta.function?.name, self.calls[position].name != name { self.calls[position].name += name }
        guard let arguments = delta.function?.arguments else { return }
        self.argumentBytes += arguments.utf8.count
        guard self.argumentBytes <= Self.toolArgumentBytesMax else {
            let message = "the arguments of the tool calls have more than \(Self.toolArgumentBytesMax) bytes"
            self.fail(ModelError(.answerTooLarge, message))
            return
        }
        self.calls[position].arguments += arguments
    }

    /// Which call a delta goes on with: by its index, else by its id, else the last; nil when there are too many.
    private mutating func position(of delta: ChatChunk.Call) -> Int? {
        if let index = delta.index {
            if let known = self.calls.lastIndex(where: { $0.index == index }) { return known }
        } else if let id = delta.id, !id.isEmpty {
            if let known = self.calls.lastIndex(where: { $0.id == id }) { return known }
        } else if !self.calls.isEmpty {
            return self.calls.count - 1
        }
        guard self.calls.count < Self.toolCallsMax else { return nil }
        let id = delta.id.flatMap { $0.isEmpty ? nil : $0 } ?? Self.makeID()
        self.calls.append(PartialCall(index: delta.index, id: id, name: "", arguments: ""))
        return self.calls.count - 1
    }

    private static func makeID() -> String {
        "call_" + UUID().uuidString.lowercased().filter { $0 != "-" }
    }
}

// MARK: Text

extension ChatAnswer {
    private mutating func append(_ bytes: some Collection<UInt8>, of kind: ChatChunkScanner.Kind) {
        guard !bytes.isEmpty, self.includeReasoning || kind == .text else { return }
        self.answerBytes += bytes.count
        guard self.answerBytes <= Self.answerBytesMax else {
            self.fail(ModelError(.answerTooLarge, "the answer has more than \(Self.answerBytesMax) bytes"))
            return
        }
        if kind != self.runKind {
            self.flush()
            self.runKind = kind
        }
        self.run.append(contentsOf: bytes)
    }

    private mutating func flush() {
        guard !self.run.isEmpty else { return }
        let text = String(decoding: self.run, as: UTF8.self)
        self.run.removeAll(keepingCapacity: true)
        self.events.append(self.runKind == .text ? .text(text) : .reasoning(text))
    }
}
