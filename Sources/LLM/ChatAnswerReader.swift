import Domain
import HTTPClient

/// Reads the body of an answer, whichever way it is framed: as server-sent events or as one JSON object.
///
/// A server may answer a request for a stream with JSON, and one for JSON with a stream; the content type decides, and
/// where it says neither, the first byte.
struct ChatAnswerReader {
    private enum Framing {
        case unknown
        case events
        case json
    }

    private var framing: Framing
    private var parser = SSEParser()
    /// Of an answer in JSON, or of unknown framing: all of it so far.
    private var whole: [UInt8] = []
    private var answer: ChatAnswer

    init(contentType: String?, model: ModelConfiguration, includeReasoning: Bool) {
        let type = contentType?.lowercased() ?? ""
        self.framing = type.contains("event-stream") ? .events : type.contains("json") ? .json : .unknown
        self.answer = ChatAnswer(model: model, includeReasoning: includeReasoning)
    }

    /// Whether the answer is whole, though its body may not have ended.
    var isComplete: Bool { self.answer.isComplete }

    /// What ended the answer too soon, to be thrown after the events.
    var failure: ModelError? { self.answer.failure }

    /// Takes the next piece of the body and returns the events in it.
    mutating func read(_ piece: [UInt8]) -> [ModelEvent] {
        switch self.framing {
        case .events: self.readEvents(piece)
        case .json: self.readWhole(piece)
        case .unknown:
            self.whole += piece
            guard let first = self.whole.first(where: { $0 > 0x20 }) else { break }
            let begun = self.whole
            self.whole = []
            self.framing = first == UInt8(ascii: "{") ? .json : .events
            if first == UInt8(ascii: "<") {
                self.answer.fail(ModelError(.malformed, ProviderFault.words(in: begun, contentType: "text/html")))
            }
            return self.read(begun)
        }
        return self.answer.takeEvents()
    }

    /// Takes the body's end: the regular one, or what broke it off.
    mutating func end(_ fault: HTTPClientError?) -> [ModelEvent] {
        if let fault, fault.code == .cancelled || fault.code == .shutDown {
            self.answer.fail(ProviderFault.error(for: fault))
        } else if self.framing == .json, fault == nil {
            self.answer.takeWhole(self.whole)
        } else {
            self.endEvents(fault)
        }
        return self.answer.takeEvents()
    }
}

extension ChatAnswerReader {
    private mutating func readEvents(_ piece: [UInt8]) {
        do throws(SSEParser.TooLong) {
            try piece.withUnsafeBufferPointer { bytes throws(SSEParser.TooLong) in
                try self.parser.feed(UnsafeRawBufferPointer(bytes)) { self.answer.take($0) }
            }
        } catch {
            self.answer.fail(ModelError(.malformed, "an event has more than \(SSEParser.eventBytesMax) bytes"))
        }
    }

    private mutating func readWhole(_ piece: [UInt8]) {
        self.whole += piece
        guard self.whole.count > ChatAnswer.answerBytesMax else { return }
        self.answer.fail(ModelError(.answerTooLarge, "the answer has more than \(ChatAnswer.answerBytesMax) bytes"))
    }

    private mutating func endEvents(_ fault: HTTPClientError?) {
        // What is left may be a whole event without its empty line, or half of one, which says nothing.
        var rest: [UInt8] = []
        try? self.parser.finish {
            rest = [UInt8]($0); return true
        }
        var trial = self.answer
        _ = rest.withUnsafeBytes { $0.isEmpty || trial.take($0) }
        if trial.failure?.code != .malformed { self.answer = trial }
        if self.answer.isComplete || self.answer.failure != nil { return }
        // The model had finished: only the formal end, and perhaps the usage, is missing.
        if self.answer.hasFinishReason { return self.answer.complete() }
        self.answer.fail(self.endError(fault))
    }

    private func endError(_ fault: HTTPClientError?) -> ModelError {
        if let fault, fault.code == .timeout || !self.answer.hasBegun { return ProviderFault.error(for: fault) }
        if fault == nil, !self.answer.hasBegun, self.parser.sawForeignLine {
            return ModelError(.malformed, "the answer is no stream of events")
        }
        return ModelError(.cutOff, "the answer was cut off: \(fault?.message ?? "the stream ended before its end")")
    }
}
