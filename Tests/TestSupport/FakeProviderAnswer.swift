import Foundation
import NIOCore

/// The events of one answer, one after the other.
struct FakeProviderAnswer {
    /// What `next` has written.
    enum Step {
        /// A token: the delay follows.
        case token
        /// Something between the tokens.
        case frame
        case end
        case cut
        case hang
    }

    private enum Phase {
        case opening
        case reasoning(Int)
        case text(Int)
        case tools
        case finish
        case usage
        case done
        case ended
    }

    let directives: FakeProviderDirectives
    private let includeUsage: Bool
    private let promptTokens: Int
    private let encoder: FakeProviderEncoder
    /// The text's pieces, escaped; nil: numbered tokens.
    private let pieces: [String]?
    private let calls: [FakeProviderDirectives.Tool]
    /// Whether the fault of the directives is due.
    let strikes: Bool
    private var phase = Phase.opening
    private var emitted = 0

    init(_ request: FakeProviderRequest, _ directives: FakeProviderDirectives, strikes: Bool) {
        self.directives = directives
        self.includeUsage = directives.usage && (request.includeUsage || !request.stream)
        self.promptTokens = request.messages.reduce(0) { $0 + ($1.content.utf8.count + 3) / 4 }
        self.encoder = FakeProviderEncoder(model: request.model, crlf: directives.crlf)
        self.strikes = strikes
        let turn = request.turnsSinceUser
        if directives.together {
            self.calls = turn == 0 ? directives.tools : []
        } else {
            self.calls = turn < directives.tools.count ? [directives.tools[turn]] : []
        }
        self.pieces = self.calls.isEmpty ? Self.pieces(of: directives.text, request) : []
    }

    /// Appends the next event.
    mutating func next(into buffer: inout ByteBuffer) -> Step {
        if let broken = self.breakOff(into: &buffer) { return broken }
        switch self.phase {
        case .opening:
            self.encoder.delta(#""role":"assistant","content":"""#, into: &buffer)
            self.phase = .reasoning(0)
            return .frame
        case .reasoning(let index) where index < self.directives.reasoning:
            let members = FakeProviderEncoder.reasoning("think\(index) ", field: self.directives.reasoningField)
            self.encoder.delta(members, into: &buffer)
            self.phase = .reasoning(index + 1)
            return self.token(into: &buffer)
        case .reasoning:
            self.phase = .text(0)
            return self.next(into: &buffer)
        case .text(let index) where index < self.textCount:
            self.encoder.content(into: &buffer) { self.writeText(index, into: &$0) }
            self.phase = .text(index + 1)
            return self.token(into: &buffer)
        case .text:
            self.phase = .tools
            return self.next(into: &buffer)
        case .tools, .finish, .usage, .done, .ended:
            return self.nextOfEnd(into: &buffer)
        }
    }

    /// The whole answer as one JSON object.
    mutating func whole() -> String {
        var buffer = ByteBuffer()
        for index in 0..<self.textCount { self.writeText(index, into: &buffer) }
        let text = String(buffer: buffer)
        let reasoning = (0..<self.directives.reasoning).map { "think\($0) " }.joined()
        self.emitted = self.textCount + self.directives.reasoning
        let calls = self.calls.enumerated().map { index, call in
            #"{"id":"\#(Self.id(of: index))","type":"function","function":{"name":"\#(call.name)","arguments":"#
                + FakeProviderEncoder.quoted(call.arguments) + "}}"
        }
        let content = text.isEmpty && !calls.isEmpty ? "null" : "\"\(text)\""
        var message = #""role":"assistant","content":"# + content
        if !reasoning.isEmpty {
            message += "," + FakeProviderEncoder.reasoning(reasoning, field: self.directives.reasoningField)
        }
        if !calls.isEmpty { message += #","tool_calls":["# + calls.joined(separator: ",") + "]" }
        let usage = self.includeUsage ? #","usage":"# + self.usage : ""
        return #"{"id":"chatcmpl-fake","object":"chat.completion","created":1,"model":"fake","choices":[{"index":0,"#
            + #""message":{\#(message)},"finish_reason":"\#(self.finishReason)"}]\#(usage)}"#
    }

    /// Tokens written so far.
    var tokens: Int { self.emitted }
}

// MARK: Parts

extension FakeProviderAnswer {
    private var textCount: Int {
        self.pieces?.count ?? self.directives.tokens
    }

    private mutating func token(into buffer: inout ByteBuffer) -> Step {
        self.emitted += 1
        if self.directives.comments { self.encoder.comment(into: &buffer) }
        return .token
    }

    private mutating func nextOfEnd(into buffer: inout ByteBuffer) -> Step {
        switch self.phase {
        case .tools:
            self.writeCalls(into: &buffer)
            self.phase = .finish
        case .finish:
            guard self.directives.finish != "none" else {
                self.phase = .ended
                return .frame
            }
            let choice = #"{"index":0,"delta":{},"finish_reason":"\#(self.finishReason)"}"#
            self.encoder.event(#"{"id":"chatcmpl-fake","choices":[\#(choice)]}"#, into: &buffer)
            self.phase = .usage
        case .usage:
            if self.includeUsage {
                self.encoder.event(#"{"id":"chatcmpl-fake","choices":[],"usage":\#(self.usage)}"#, into: &buffer)
            }
            self.phase = .done
        case .done:
            if self.directives.sendsDone { self.encoder.event("[DONE]", into: &buffer) }
            self.phase = .ended
        default: return .end
        }
        return .frame
    }

    /// The fault that is due, if any.
    private mutating func breakOff(into buffer: inout ByteBuffer) -> Step? {
        if case .opening = self.phase { return nil }
        switch self.strikes ? self.directives.fault : nil {
        case .cut(let count) where self.emitted >= count: return .cut
        case .hang(let count) where self.emitted >= count: return .hang
        case .garbage(let count) where self.emitted >= count:
            self.encoder.event(#"{"choices":[{"delta":{"content":oops"#, into: &buffer)
            self.phase = .ended
            return .end
        case .errorObject(let count) where self.emitted >= count:
            let code = "\(self.directives.faultStatus)"
            let error = FakeProviderEncoder.error("The fake provider failed", type: "server_error", code: code)
            self.encoder.event(error, into: &buffer)
            self.phase = .ended
            return .end
        default: return nil
        }
    }

    private func writeText(_ index: Int, into buffer: inout ByteBuffer) {
        if let pieces {
            buffer.writeString(pieces[index])
            return
        }
        let start = buffer.writerIndex
        switch self.directives.stamp {
        case .first where index == 0: buffer.writeString("stamp@\(Self.clock())")
        case .all: buffer.writeString("tok\(index)@\(Self.clock())")
        default: buffer.writeString("tok\(index)")
        }
        let filler = self.directives.size - 1 - (buffer.writerIndex - start)
        if filler > 0 { buffer.writeRepeatingByte(UInt8(ascii: "."), count: filler) }
        buffer.writeInteger(UInt8(ascii: " "))
    }

    /// Each call's name first, then its arguments in two halves, the calls interleaved.
    private func writeCalls(into buffer: inout ByteBuffer) {
        for (index, call) in self.calls.enumerated() {
            let function = #"{"name":"\#(call.name)","arguments":""}"#
            let delta = #"{"index":\#(index),"id":"\#(Self.id(of: index))","type":"function","function":\#(function)}"#
            self.encoder.delta(#""tool_calls":[\#(delta)]"#, into: &buffer)
        }
        for half in [0, 1] {
            for (index, call) in self.calls.enumerated() {
                let middle = call.arguments.index(call.arguments.startIndex, offsetBy: call.arguments.count / 2)
                let part = half == 0 ? call.arguments[..<middle] : call.arguments[middle...]
                let function = #"{"arguments":\#(FakeProviderEncoder.quoted(String(part)))}"#
                self.encoder.delta(#""tool_calls":[{"index":\#(index),"function":\#(function)}]"#, into: &buffer)
            }
        }
    }

    private var finishReason: String {
        self.directives.finish ?? (self.calls.isEmpty ? "stop" : "tool_calls")
    }

    private var usage: String {
        let details = #""completion_tokens_details":{"reasoning_tokens":\#(self.directives.reasoning)}"#
        let cost = self.directives.cost.map { #","cost":"# + $0 } ?? ""
        let total = self.promptTokens + self.emitted
        return #"{"prompt_tokens":\#(self.promptTokens),"completion_tokens":\#(self.emitted),"#
            + #""total_tokens":\#(total),\#(details)\#(cost)}"#
    }

    private static func id(of call: Int) -> String { "call_fake_\(UInt32.random(in: 0...UInt32.max))_\(call)" }

    /// CLOCK_MONOTONIC in nanoseconds, which every process of the machine shares.
    private static func clock() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// A given text cut after its spaces, escaped for JSON.
    private static func pieces(of text: FakeProviderDirectives.Text, _ request: FakeProviderRequest) -> [String]? {
        switch text {
        case .tokens: return nil
        case .said(let said): return self.words(of: said)
        case .echo: return self.words(of: request.messages.last?.content ?? "")
        case .history:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            guard let data = try? encoder.encode(request.messages) else { return [] }
            return self.words(of: String(decoding: data, as: UTF8.self))
        }
    }

    private static func words(of text: String) -> [String] {
        var words: [String] = []
        var rest = text[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: " ").map { rest.index(after: $0) } ?? rest.endIndex
            words.append(String(FakeProviderEncoder.quoted(String(rest[..<end])).dropFirst().dropLast()))
            rest = rest[end...]
        }
        return words
    }
}
