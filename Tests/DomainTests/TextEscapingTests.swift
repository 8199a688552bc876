import Domain
import Foundation
import Testing

/// The token path writes JSON by hand: whatever a model says must come out of a decoder as it went in.
@Suite(.timeLimit(.minutes(1)))
struct TextEscapingTests {
    private struct Token: Codable, Equatable {
        var job_id: String
        var token: String
    }

    private func roundTrip(_ text: String, job: String = "j1") throws -> Token {
        let frame = EventFrame(
            id: .start,
            type: .token,
            text: text,
            jobID: JobID(rawValue: job)
        )
        #expect(JSONSerialization.isValid(frame.bytes))
        return try frame.data(as: Token.self)
    }

    @Test(arguments: [
        "", " ", "plain", "\"", "\\", "\\\"", "\"\"\"", "a\\nb", "line\nnext\r\n\ttab", "/", "</script>",
        "ä ö ü ß é", "日本語", "🐧", "👩‍👩‍👧‍👦", "e\u{301}", "\u{202E}rtl", "\u{FEFF}bom", "\u{2028}\u{2029}", "\u{7F}",
        "\u{FFFD}\u{FFFF}\u{10FFFF}", "ends with \\", #"{"job_id":"other"}"#, "\u{0}", "a\u{0}b",
    ])
    func `a text comes back as it was`(text: String) throws {
        #expect(Array(try self.roundTrip(text).token.unicodeScalars) == Array(text.unicodeScalars))
        #expect(try self.roundTrip("x", job: text).job_id == text)
    }

    @Test
    func `every control character is escaped, as the encoder's own text would be read`() throws {
        let text = String(String.UnicodeScalarView((0...0x20).compactMap(Unicode.Scalar.init)))
        let frame = EventFrame(id: .start, type: .token, text: text, jobID: "j")
        #expect(frame.bytes.allSatisfy { $0 >= 0x20 })
        #expect(try self.roundTrip(text).token == text)
        let written = String(decoding: frame.bytes, as: UTF8.self)
        #expect(written.contains(#"\u0000\u0001\u0002"#))
        #expect(written.contains(#"\t\n\u000b\u000c\r\u000e"#))
        #expect(written.contains(#"\u001e\u001f "#))
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `random texts come back as they were`(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let scalars = (0..<500).compactMap { _ -> Unicode.Scalar? in
            let range: ClosedRange<UInt32> = Bool.random(using: &random) ? 0...0x7F : 0...0x10FFFF
            return Unicode.Scalar(UInt32.random(in: range, using: &random))
        }
        let text = String(String.UnicodeScalarView(scalars))
        #expect(Array(try self.roundTrip(text).token.unicodeScalars) == Array(text.unicodeScalars))
    }

    @Test
    func `a text that Foundation bridged is written too`() throws {
        let bridged = NSString(string: "bridged \u{1} é \"").appending("")
        #expect(try self.roundTrip(bridged).token == "bridged \u{1} é \"")
    }
}

extension JSONSerialization {
    fileprivate static func isValid(_ bytes: [UInt8]) -> Bool {
        (try? self.jsonObject(with: Data(bytes))) != nil
    }
}

/// The same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
