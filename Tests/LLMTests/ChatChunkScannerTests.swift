import Testing

@testable import LLM

@Suite(.timeLimit(.minutes(2)))
struct ChatChunkScannerTests {
    /// What the scanner says, with its text.
    private struct Scan: Equatable {
        var found: ChatChunkScanner.Found
        var text: String
    }

    private func scan(_ json: [UInt8]) -> Scan? {
        var scratch: [UInt8] = [1, 2, 3]
        guard let found = json.withUnsafeBytes({ ChatChunkScanner.scan($0, into: &scratch) }) else { return nil }
        return Scan(found: found, text: String(decoding: scratch, as: UTF8.self))
    }

    /// What JSONDecoder says; nil when it refuses, or when the chunk says more than the scanner may.
    private func decode(_ json: [UInt8]) -> Scan? {
        guard let chunk = try? ChatChunk.decode(json), chunk.usage == nil, chunk.fault == nil,
            let choice = chunk.choices?.first, chunk.choices?.count == 1, choice.said?.toolCalls == nil
        else { return nil }
        let content = choice.said?.content ?? ""
        let reasoning = choice.said?.reasoning ?? ""
        guard content.isEmpty || reasoning.isEmpty else { return nil }
        let finish = choice.finishReason.flatMap { $0.isEmpty ? nil : FinishReason(wireName: $0) }
        let kind: ChatChunkScanner.Kind? = content.isEmpty ? (reasoning.isEmpty ? nil : .reasoning) : .text
        return Scan(found: ChatChunkScanner.Found(kind: kind, finish: finish), text: content + reasoning)
    }

    @Test(arguments: [
        #"{"id":"x","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}],"usage":null}"#,
        #"{"choices":[{"delta":{"role":"assistant","content":"","refusal":null},"logprobs":{"content":[]}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":null,"reasoning":"hm"},"finish_reason":null}]}"#,
        #"{"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}"#,
        #"{"choices":[{"delta":{"reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a"}]}}]}"#,
        #"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
        #" { "choices" : [ { "delta" : { "content" : "\u00e4\ud83d\ude00\n\"\\\/é😀" } } ] } "#,
        #"{"created":-1.5e+10,"choices":[{"delta":{"content":"\ud83d"}}],"b":true,"c":[false,{"d":[]}]}"#,
    ])
    func `the usual chunks are read without JSONDecoder`(json: String) throws {
        let scanned = try #require(self.scan(Array(json.utf8)))
        #expect(scanned == self.decode(Array(json.utf8)))
    }

    @Test(arguments: [
        "", "{", "{}", "[]", "null", #"{"choices":[]}"#, #"{"choices":null}"#,
        #"{"choices":[{"delta":{"content":"a"}}]"#, #"{"choices":[{"delta":{"content":"a"}}]}}"#,
        #"{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}"#,
        #"{"choices":[{"index":1,"delta":{"content":"a"}}]}"#,
        #"{"choices":[{"delta":{"content":"a","reasoning":"b"}}]}"#,
        #"{"choices":[{"delta":{"content":"a","content":"b"}}]}"#,
        #"{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#,
        #"{"choices":[{"delta":{"reasoning_details":[{"text":"a"}]}}]}"#,
        #"{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1}}"#,
        #"{"choices":[{"delta":{"content":"a"}}],"error":{"message":"x"}}"#,
        #"{"object":"error","choices":[{"delta":{"content":"a"}}]}"#,
        #"{"choices":[{"message":{"content":"a"}}]}"#,
        #"{"choices":[{"delta":{"content":"a"},"finish_reason":"content_filter"}]}"#,
        #"{"choices":[{"delta":{"content":["a"]}}]}"#,
        #"{"n":01,"choices":[{"delta":{"content":"a"}}]}"#,
        #"{"n":1.,"choices":[{"delta":{"content":"a"}}]}"#,
        #"{"choices":[{"delta":{"content":"\x"}}]}"#, #"{"choices":[{"delta":{"content":"\u12g4"}}]}"#,
        "{\"choices\":[{\"delta\":{\"content\":\"a\u{1}\"}}]}",
        #"{"choices":[{"delta":{"refusal":"no"}}]}"#,
    ])
    func `anything else is left to JSONDecoder`(json: String) {
        #expect(self.scan(Array(json.utf8)) == nil)
    }

    @Test(
        arguments: [
            [0xff], [0x80], [0xc0, 0x80], [0xc3], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82],
            [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xf0, 0x9f, 0x98],
        ] as [[UInt8]]
    )
    func `bytes that are no UTF-8 are not accepted`(bytes: [UInt8]) {
        let json = Array(#"{"choices":[{"delta":{"content":"a"#.utf8) + bytes + Array(#"b"}}]}"#.utf8)
        #expect(self.scan(json) == nil)
    }

    @Test(arguments: 0..<8)
    func `it reads what JSONDecoder reads`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var scanned = 0
        for _ in 0..<2000 {
            let json = Array(RandomChunk.make(using: &random).utf8)
            let slow = self.decode(json)
            #expect(try #require(slow).text.unicodeScalars.count >= 0)
            if let fast = self.scan(json) {
                scanned += 1
                #expect(fast == slow, "\(String(decoding: json, as: UTF8.self))")
            }
        }
        #expect(scanned > 1500)
    }

    @Test(arguments: 0..<8)
    func `it accepts no broken chunk that JSONDecoder refuses`(seed: Int) {
        var random = SeededGenerator(seed: 1000 + UInt64(seed))
        for _ in 0..<2000 {
            var json = Array(RandomChunk.make(using: &random).utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) where !json.isEmpty {
                let place = Int.random(in: 0..<json.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: json.remove(at: place)
                case 1: json[place] = UInt8.random(in: 0...255, using: &random)
                case 2: json.insert(Array(#"\"{}[],:u0"#.utf8).randomElement(using: &random) ?? 0, at: place)
                default: json = Array(json[..<max(1, place)])
                }
            }
            if let fast = self.scan(json) {
                #expect(fast == self.decode(json), "\(String(decoding: json, as: UTF8.self))")
            }
        }
    }
}

/// Makes chunks of an answer with text of all kinds, written in all the ways that JSON allows.
enum RandomChunk {
    static func make(using random: inout SeededGenerator) -> String {
        var delta = [self.member("role", "\"assistant\"", &random)]
        let name = ["content", "content", "content", "reasoning", "reasoning_content"].randomElement(using: &random)
        delta.append(self.member(name ?? "content", self.string(&random), &random))
        if Bool.random(using: &random) { delta.append(self.member("tool_calls", "null", &random)) }
        if Bool.random(using: &random) { delta.append(self.member("refusal", "null", &random)) }
        let finish = ["null", "null", "\"stop\"", "\"length\"", "\"content_filter\"", "\"\""].randomElement(
            using: &random
        )
        let choice = [
            self.member("index", "0", &random), self.member("finish_reason", finish ?? "null", &random),
            self.member("delta", self.object(delta, &random), &random),
            self.member("logprobs", "null", &random),
        ]
        let members = [
            self.member("id", "\"chatcmpl-1\"", &random), self.member("created", "1763935200", &random),
            self.member("x", #"{"a":[1,-2.5e3,true,{"b":null}]}"#, &random),
            self.member("choices", "[\(self.object(choice, &random))]", &random),
            self.member("usage", "null", &random),
        ]
        return self.object(members, &random)
    }

    private static func object(_ members: [String], _ random: inout SeededGenerator) -> String {
        let space = self.space(&random)
        return "{\(space)" + members.shuffled(using: &random).joined(separator: ",\(space)") + "\(space)}"
    }

    private static func member(_ name: String, _ value: String, _ random: inout SeededGenerator) -> String {
        "\"\(name)\":\(self.space(&random))\(value)"
    }

    private static func space(_ random: inout SeededGenerator) -> String {
        ["", "", "", " ", "\n", "\t ", "\r\n"].randomElement(using: &random) ?? ""
    }

    private static func string(_ random: inout SeededGenerator) -> String {
        let count = Int.random(in: 0...12, using: &random)
        return "\"" + (0..<count).map { _ in self.character(&random) }.joined() + "\""
    }

    private static func character(_ random: inout SeededGenerator) -> String {
        let ranges: [ClosedRange<UInt32>] = [
            0x20...0x7e, 0x61...0x7a, 0x80...0x7ff, 0x800...0xd7ff, 0xe000...0xffff, 0x10000...0x10ffff, 0...0x1f,
        ]
        let range = ranges.randomElement(using: &random) ?? 0x61...0x7a
        let value = UInt32.random(in: range, using: &random)
        guard let scalar = Unicode.Scalar(value) else { return "a" }
        let mustEscape = value < 0x20 || scalar == "\"" || scalar == "\\"
        guard mustEscape || Int.random(in: 0..<3, using: &random) == 0 else { return String(scalar) }
        let short: [Unicode.Scalar: String] = [
            "\n": "\\n", "\r": "\\r", "\t": "\\t", "\"": "\\\"", "\\": "\\\\", "/": "\\/", "\u{8}": "\\b",
            "\u{c}": "\\f",
        ]
        if let escape = short[scalar], Bool.random(using: &random) { return escape }
        if Int.random(in: 0..<20, using: &random) == 0 { return self.escape(0xd800 + UInt16(value % 0x800), &random) }
        return String(scalar).utf16.map { self.escape($0, &random) }.joined()
    }

    private static func escape(_ unit: UInt16, _ random: inout SeededGenerator) -> String {
        let digits = String(unit, radix: 16, uppercase: Bool.random(using: &random))
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
