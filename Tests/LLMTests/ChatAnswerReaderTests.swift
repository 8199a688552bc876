import Domain
import HTTPClient
import Testing

@testable import LLM

@Suite(.timeLimit(.minutes(2)))
struct ChatAnswerReaderTests {
    private let model = testModel(at: "http://localhost/v1")

    /// The events and the failure of a body that comes in the given pieces.
    private func read(
        _ pieces: [[UInt8]],
        type: String? = "text/event-stream; charset=utf-8",
        includeReasoning: Bool = true,
        fault: HTTPClientError? = nil,
        model: ModelConfiguration? = nil
    ) -> (events: [ModelEvent], failure: ModelError?) {
        var reader = ChatAnswerReader(
            contentType: type,
            model: model ?? self.model,
            includeReasoning: includeReasoning
        )
        var events: [ModelEvent] = []
        for piece in pieces where !reader.isComplete && reader.failure == nil { events += reader.read(piece) }
        if !reader.isComplete, reader.failure == nil { events += reader.end(fault) }
        return (events, reader.failure)
    }

    private func read(_ text: String, type: String? = "text/event-stream") -> (
        events: [ModelEvent], failure: ModelError?
    ) {
        self.read([Array(text.utf8)], type: type)
    }

    private func delta(_ members: String, finish: String = "null") -> String {
        #"data: {"choices":[{"index":0,"delta":{\#(members)},"finish_reason":\#(finish)}]}"# + "\n\n"
    }

    /// An answer with everything in it.
    private var transcript: String {
        let usage =
            #"{"prompt_tokens":7,"completion_tokens":5,"cost":0.25,"prompt_tokens_details":"#
            + #"{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}"#
        let calls = [
            #"{"index":0,"id":"call_a","type":"function","function":{"name":"read_file","arguments":""}}"#,
            #"{"index":1,"id":"call_b","function":{"name":"list","arguments":"{}"}}"#,
            #"{"index":0,"function":{"arguments":"{\"path\":"}}"#, #"{"index":0,"function":{"arguments":"\"a\"}"}}"#,
        ]
        var parts = [": OPENROUTER PROCESSING\r\n\r\n"]
        parts.append(self.delta(#""role":"assistant","content":"""#))
        parts.append(self.delta(#""reasoning":"I thi""#))
        parts.append(self.delta(#""reasoning_content":"nk ü""#))
        parts.append(self.delta(#""reasoning_details":[{"type":"reasoning.text","text":" so"}]"#))
        parts.append(self.delta(#""content":"Hel""#).replacing("\n", with: "\r\n"))
        parts.append(self.delta(#""content":"lo \ud83d\ude00 ""#))
        parts.append(self.delta(#""content":"wörld\n""#))
        parts += calls.map { self.delta("\"tool_calls\":[\($0)]") }
        parts.append(self.delta("", finish: #""tool_calls""#))
        parts.append("data: {\"choices\":[],\"usage\":\(usage)}\n\ndata: [DONE]\n\n")
        return parts.joined()
    }

    private var expected: [ModelEvent] {
        [
            .reasoning("I think ü so"), .text("Hello 😀 wörld\n"),
            .toolCall(ToolCall(id: "call_a", name: "read_file", arguments: #"{"path":"a"}"#)),
            .toolCall(ToolCall(id: "call_b", name: "list", arguments: "{}")),
            .usage(
                TokenUsage(promptTokens: 7, completionTokens: 5, reasoningTokens: 2, cachedTokens: 3, cost: 0.25)
            ),
            .finish(.toolCalls),
        ]
    }

    @Test func `what comes in one piece leaves as one event of each kind`() {
        let (events, failure) = self.read(self.transcript)
        #expect(events == self.expected)
        #expect(failure == nil)
    }

    @Test func `every way to cut the bytes gives the same events`() {
        let bytes = Array(self.transcript.utf8)
        for cut in 0...bytes.count {
            let (events, failure) = self.read([Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(events.joined == self.expected, "cut at \(cut)")
            #expect(failure == nil)
        }
        #expect(self.read(bytes.map { [$0] }).events.joined == self.expected)
    }

    @Test(arguments: 0..<200)
    func `so does cutting them at random places`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var rest = Array(self.transcript.utf8)[...]
        var pieces: [[UInt8]] = []
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...60, using: &random))
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        #expect(self.read(pieces).events.joined == self.expected)
    }

    @Test func `text and reasoning keep their order`() {
        let text = self.delta(#""content":"a""#) + self.delta(#""reasoning":"b""#) + self.delta(#""content":"c""#)
        let (events, _) = self.read(text + self.delta("", finish: "\"stop\"") + "data: [DONE]\n\n")
        #expect(events == [.text("a"), .reasoning("b"), .text("c"), .finish(.stop)])
    }

    @Test func `reasoning is left out when nobody asked for it`() {
        let (events, _) = self.read([Array(self.transcript.utf8)], includeReasoning: false)
        #expect(events == Array(self.expected.dropFirst()))
    }

    @Test func `the end of the body ends a finished answer that has no DONE`() {
        let (events, failure) = self.read(self.delta(#""content":"a""#) + self.delta("", finish: "\"length\""))
        #expect(events == [.text("a"), .finish(.length)])
        #expect(failure == nil)
    }

    @Test func `a reset after the finish reason takes nothing away`() {
        let text = self.delta(#""content":"a""#, finish: "\"stop\"")
        let (events, failure) = self.read([Array(text.utf8)], fault: HTTPClientError(.reset, "gone"))
        #expect(events == [.text("a"), .finish(.stop)])
        #expect(failure == nil)
    }

    @Test func `the last event counts without its empty line`() {
        let text = self.delta(#""content":"a""#) + #"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#
        #expect(self.read(text).events == [.text("a"), .finish(.stop)])
    }

    @Test(arguments: [nil, HTTPClientError(.reset, "gone"), HTTPClientError(.protocolError, "odd")])
    func `an answer that breaks off was cut`(fault: HTTPClientError?) {
        let text = self.delta(#""content":"a""#) + #"data: {"choices":[{"delta":{"con"#
        let (events, failure) = self.read([Array(text.utf8)], fault: fault)
        #expect(events == [.text("a")])
        #expect(failure?.code == .cutOff)
        #expect(failure?.isRetryable == true)
    }

    @Test func `silence in the middle is a timeout, a broken connection before the first chunk is one`() {
        let text = Array(self.delta(#""content":"a""#).utf8)
        #expect(self.read([text], fault: HTTPClientError(.timeout, "no byte")).failure?.code == .timeout)
        #expect(self.read([], fault: HTTPClientError(.reset, "gone")).failure?.code == .connection)
        #expect(self.read([], fault: nil).failure?.code == .cutOff)
    }

    @Test(arguments: [
        ("data: {oops}", ModelError.Code.malformed),
        ("data: 7", .malformed),
        ("<html><title>Proxy</title></html>", .malformed),
        ("Internal error, sorry", .malformed),
        (#"data: {"error":{"message":"x","code":502}}"#, .serverError),
        (#"data: {"error":{"message":"x","code":"429"}}"#, .rateLimited),
        (#"data: {"error":{"message":"x","code":"context_length_exceeded"}}"#, .contextTooLong),
        (#"data: {"error":{"message":"x","type":"overloaded_error"}}"#, .overloaded),
        (#"data: {"error":"boom"}"#, .serverError),
        (#"data: {"object":"error","message":"x","code":400}"#, .badRequest),
    ])
    func `what is no answer is told by its kind, after what came before`(line: String, code: ModelError.Code) {
        let text = line + "\n\n"
        #expect(self.read(text).failure?.code == code)
        let (events, failure) = self.read(self.delta(#""content":"a""#) + text)
        #expect(events == [.text("a")])
        // A page or a text can only be recognised when nothing came before it.
        #expect(failure?.code == (line.hasPrefix("data") ? code : .cutOff))
    }

    @Test func `a page without a content type is recognised`() {
        let (_, failure) = self.read("<html><title>Sign in</title></html>", type: nil)
        #expect(failure?.code == .malformed)
        #expect(failure?.message.contains("Sign in") == true)
    }

    @Test(arguments: ["application/json", nil])
    func `an answer in JSON gives the same events`(type: String?) {
        let json = #"""
            {"choices":[{"index":0,"message":{"role":"assistant","content":"Hello","reasoning":"hm","tool_calls":
            [{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":1,"completion_tokens":2}}
            """#
        let bytes = Array(json.utf8)
        let (events, failure) = self.read([Array(bytes[..<5]), Array(bytes[5...])], type: type)
        #expect(
            events == [
                .reasoning("hm"), .text("Hello"), .toolCall(ToolCall(id: "c", name: "f", arguments: "{}")),
                .usage(TokenUsage(promptTokens: 1, completionTokens: 2)), .finish(.toolCalls),
            ]
        )
        #expect(failure == nil)
    }

    @Test(arguments: ["{}", "{", "[]", #"{"choices":[]}"#, ""])
    func `JSON that is no answer is malformed`(json: String) {
        #expect(self.read(json, type: "application/json").failure?.code == .malformed)
    }

    @Test func `half an answer in JSON was cut`() {
        let json = Array(#"{"choices":[{"mess"#.utf8)
        let fault = HTTPClientError(.reset, "gone")
        #expect(self.read([json], type: "application/json", fault: fault).failure?.code == .connection)
    }

    @Test func `calls without an index are told apart by their ids`() {
        let calls = [
            #"{"id":"a","function":{"name":"f","arguments":"{\"x\""}}"#, #"{"function":{"arguments":":1}"}}"#,
            #"{"id":"b","function":{"name":"g","arguments":"{}"}}"#,
        ]
        let text = calls.map { self.delta("\"tool_calls\":[\($0)]") }.joined() + "data: [DONE]\n\n"
        let expected = [
            ToolCall(id: "a", name: "f", arguments: #"{"x":1}"#), ToolCall(id: "b", name: "g", arguments: "{}"),
        ]
        let (events, _) = self.read(text)
        #expect(events.toolCalls == expected)
        #expect(events.last == .finish(.toolCalls))
    }

    @Test func `a call without an id gets one`() {
        let text = self.delta(#""tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]"#)
        let call = self.read(text + "data: [DONE]\n\n").events.toolCalls.first
        #expect(call?.id.hasPrefix("call_") == true)
        #expect((call?.id.count ?? 0) > 20)
    }

    @Test func `the arguments of calls are bounded`() {
        let half = String(repeating: "x", count: ChatAnswer.toolArgumentBytesMax / 6)
        let piece = Array(
            self.delta(#""tool_calls":[{"index":0,"function":{"name":"f","arguments":"\#(half)"}}]"#).utf8
        )
        let (_, failure) = self.read(Array(repeating: piece, count: 7))
        #expect(failure?.code == .answerTooLarge)
    }

    @Test func `the number of calls is bounded`() {
        let pieces = (0...ChatAnswer.toolCallsMax).map {
            Array(self.delta(#""tool_calls":[{"index":\#($0),"function":{"name":"f","arguments":""}}]"#).utf8)
        }
        #expect(self.read(pieces).failure?.code == .answerTooLarge)
    }

    @Test func `the text is bounded`() {
        let piece = Array(self.delta(#""content":"\#(String(repeating: "x", count: 512 * 1024))""#).utf8)
        let (events, failure) = self.read(Array(repeating: piece, count: 40))
        #expect(failure?.code == .answerTooLarge)
        #expect(events.text.utf8.count <= ChatAnswer.answerBytesMax)
    }

    @Test func `the model's prices make a cost where the provider names none`() {
        var model = self.model
        model.promptPrice = 2
        model.completionPrice = 10
        let usage = #"data: {"choices":[],"usage":{"prompt_tokens":1000000,"completion_tokens":100000}}"# + "\n\n"
        let (events, _) = self.read([Array((usage + "data: [DONE]\n\n").utf8)], model: model)
        #expect(events.usage?.cost == 3)
    }
}
