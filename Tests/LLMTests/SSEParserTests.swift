import Testing

@testable import LLM

@Suite(.timeLimit(.minutes(1)))
struct SSEParserTests {
    /// The events in a text that comes in the given pieces.
    private func events(in pieces: [[UInt8]]) throws -> [String] {
        var parser = SSEParser()
        var events: [String] = []
        let take = { (data: UnsafeRawBufferPointer) in
            events.append(String(decoding: data, as: UTF8.self))
            return true
        }
        for piece in pieces { try piece.withUnsafeBytes { try parser.feed($0, take) } }
        try parser.finish(take)
        return events
    }

    @Test(arguments: [
        ("data: a\n\ndata: b\n\n", ["a", "b"]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
        ("data: a\r\rdata: b\r\r", ["a", "b"]),
        ("data:a\n\n", ["a"]),
        ("data:  a\n\n", [" a"]),
        ("data: a\ndata: b\n\n", ["a\nb"]),
        ("data: a\n: comment\nevent: x\nid: 7\nretry: 3\ndata: b\n\n", ["a\nb"]),
        (": OPENROUTER PROCESSING\n\ndata: a\n\n", ["a"]),
        ("\u{feff}data: a\n\n", ["a"]),
        ("data\n\ndata:\n\ndata: a\n\n", ["a"]),
        ("data: a\n\n\n\n\ndata: b\n\n", ["a", "b"]),
        ("data: a", ["a"]),
        ("data: a\n", ["a"]),
        ("datax: a\n\nfoo: b\n\n", []),
        ("", []),
    ])
    func `the data of each event comes out`(text: String, expected: [String]) throws {
        #expect(try self.events(in: [Array(text.utf8)]) == expected)
    }

    @Test func `the bytes may be cut anywhere`() throws {
        let text = "\u{feff}: hello\r\n\r\ndata: äöü€\r\ndata: b\r\n\r\ndata: c\n\ndata: d\r\revent: x\ndata: ef\n\n"
        let bytes = Array(text.utf8)
        let expected = ["äöü€\nb", "c", "d", "ef"]
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let pieces = [bytes[..<first], bytes[first..<second], bytes[second...]].map(Array.init)
                #expect(try self.events(in: pieces) == expected, "cut at \(first) and \(second)")
            }
        }
        #expect(try self.events(in: bytes.map { [$0] }) == expected)
    }

    @Test func `nothing is handed over after the reader has said stop`() throws {
        var parser = SSEParser()
        var count = 0
        let bytes = Array("data: a\n\ndata: b\n\n".utf8)
        try bytes.withUnsafeBytes { piece in
            try parser.feed(piece) { _ in
                count += 1
                return false
            }
        }
        #expect(count == 1)
    }

    @Test(arguments: ["data: ", "data: x\ndata: ", ": "])
    func `an endless line is refused`(start: String) throws {
        var parser = SSEParser()
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 64 * 1024)
        try Array(start.utf8).withUnsafeBytes { try parser.feed($0) { _ in true } }
        #expect(throws: SSEParser.TooLong.self) {
            for _ in 0...16 { try piece.withUnsafeBytes { try parser.feed($0) { _ in true } } }
        }
    }

    @Test func `an endless event of short lines is refused`() throws {
        var parser = SSEParser()
        let piece = Array(String(repeating: "data: x\n", count: 8 * 1024).utf8)
        #expect(throws: SSEParser.TooLong.self) {
            for _ in 0...100 { try piece.withUnsafeBytes { try parser.feed($0) { _ in true } } }
        }
    }

    @Test func `a flood of empty lines costs linear time`() throws {
        var parser = SSEParser()
        let piece = [UInt8](repeating: UInt8(ascii: "\r"), count: 256 * 1024)
        let start = ContinuousClock.now
        try piece.withUnsafeBytes { try parser.feed($0) { _ in true } }
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
