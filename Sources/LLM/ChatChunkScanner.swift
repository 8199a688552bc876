/// Reads the usual chunk of a streamed answer, one piece of text, straight from its bytes.
///
/// It knows one shape: an object with one choice of index 0, whose delta holds at most one of `content`, `reasoning`
/// and `reasoning_content` as a string. Whatever else it meets, valid or not, is left to `ChatChunk` and JSONDecoder:
/// the scanner accepts nothing that they refuse or read differently.
struct ChatChunkScanner {
    /// What kind of text was found.
    enum Kind {
        case text
        case reasoning
    }

    /// What a chunk of the usual shape says; the text itself is in the scratch buffer.
    struct Found: Equatable {
        var kind: Kind?
        var finish: FinishReason?
    }

    /// Deeper values are left to JSONDecoder.
    private static let depthMax = 16

    private let bytes: UnsafeRawBufferPointer
    private var at = 0
    private var found = Found()
    private var seen: Members = []

    /// Members that may come once.
    private struct Members: OptionSet {
        let rawValue: UInt8
        static let choices = Members(rawValue: 1)
        static let delta = Members(rawValue: 2)
        static let content = Members(rawValue: 4)
        static let reasoning = Members(rawValue: 8)
        static let reasoningContent = Members(rawValue: 16)
        static let finish = Members(rawValue: 32)
        static let details = Members(rawValue: 64)
        static let index = Members(rawValue: 128)
    }

    private init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Nil when the chunk has another shape; `scratch` then holds nothing of use.
    static func scan(_ bytes: UnsafeRawBufferPointer, into scratch: inout [UInt8]) -> Found? {
        scratch.removeAll(keepingCapacity: true)
        var scanner = ChatChunkScanner(bytes)
        guard scanner.scanChunk(into: &scratch) else { return nil }
        scanner.skipSpace()
        guard scanner.at == bytes.count, scanner.seen.contains(.choices) else { return nil }
        // Details may say what no other member says.
        guard !scanner.seen.contains(.details) || scanner.found.kind == .reasoning else { return nil }
        return scanner.found
    }
}

// MARK: The chunk

extension ChatChunkScanner {
    private mutating func scanChunk(into scratch: inout [UInt8]) -> Bool {
        self.members { scanner, name in
            switch true {
            case name.is("choices"): scanner.once(.choices) && scanner.scanChoices(into: &scratch)
            case name.is("usage"), name.is("error"): scanner.literal("null")
            // An old vLLM marks its errors this way.
            case name.is("object"): !scanner.nextIs("\"error\"") && scanner.skipValue()
            default: scanner.skipValue()
            }
        }
    }

    /// One choice in an array.
    private mutating func scanChoices(into scratch: inout [UInt8]) -> Bool {
        guard self.byte("[") else { return false }
        let isChoice = self.members { scanner, name in
            switch true {
            case name.is("delta"): scanner.once(.delta) && scanner.scanDelta(into: &scratch)
            case name.is("index"): scanner.once(.index) && scanner.byte("0")
            case name.is("finish_reason"): scanner.once(.finish) && scanner.scanFinish()
            case name.is("message"): scanner.literal("null")
            default: scanner.skipValue()
            }
        }
        return isChoice && self.byte("]")
    }

    private mutating func scanDelta(into scratch: inout [UInt8]) -> Bool {
        self.members { scanner, name in
            switch true {
            case name.is("content"): scanner.once(.content) && scanner.scanText(.text, into: &scratch)
            case name.is("reasoning"): scanner.once(.reasoning) && scanner.scanText(.reasoning, into: &scratch)
            case name.is("reasoning_content"):
                scanner.once(.reasoningContent) && scanner.scanText(.reasoning, into: &scratch)
            case name.is("tool_calls"), name.is("refusal"): scanner.literal("null")
            case name.is("reasoning_details"):
                scanner.nextIs("null") ? scanner.literal("null") : scanner.once(.details) && scanner.skipValue()
            default: scanner.skipValue()
            }
        }
    }

    private mutating func scanFinish() -> Bool {
        if self.nextIs("null") { return self.literal("null") }
        guard let name = self.plainString() else { return false }
        if name.bytes.isEmpty { return true }
        if name.is("stop") {
            self.found.finish = .stop
        } else if name.is("tool_calls") {
            self.found.finish = .toolCalls
        } else if name.is("length") {
            self.found.finish = .length
        } else {
            return false
        }
        return true
    }

    private mutating func scanText(_ kind: Kind, into scratch: inout [UInt8]) -> Bool {
        if self.nextIs("null") { return self.literal("null") }
        let isFirst = scratch.isEmpty
        let before = scratch.count
        guard self.string(into: &scratch) else { return false }
        guard scratch.count > before else { return true }
        self.found.kind = kind
        return isFirst
    }

    private mutating func once(_ member: Members) -> Bool {
        self.seen.insert(member).inserted
    }
}

// MARK: JSON

extension ChatChunkScanner {
    /// The bytes of a string without escapes.
    private struct Plain {
        let bytes: UnsafeRawBufferPointer

        func `is`(_ name: StaticString) -> Bool {
            guard self.bytes.count == name.utf8CodeUnitCount else { return false }
            return name.withUTF8Buffer { self.bytes.elementsEqual($0) }
        }
    }

    private mutating func skipSpace() {
        while self.at < self.bytes.count {
            switch self.bytes[self.at] {
            case 0x20, 0x0a, 0x0d, 0x09: self.at += 1
            default: return
            }
        }
    }

    /// Space and then that byte.
    private mutating func byte(_ expected: Unicode.Scalar) -> Bool {
        self.skipSpace()
        guard self.at < self.bytes.count, self.bytes[self.at] == UInt8(ascii: expected) else { return false }
        self.at += 1
        return true
    }

    private mutating func nextIs(_ text: StaticString) -> Bool {
        self.skipSpace()
        let count = text.utf8CodeUnitCount
        guard self.bytes.count - self.at >= count else { return false }
        return text.withUTF8Buffer { self.bytes[self.at..<self.at + count].elementsEqual($0) }
    }

    private mutating func literal(_ text: StaticString) -> Bool {
        guard self.nextIs(text) else { return false }
        self.at += text.utf8CodeUnitCount
        return true
    }

    /// An object; `member` reads each value.
    private mutating func members(_ member: (inout ChatChunkScanner, Plain) -> Bool) -> Bool {
        guard self.byte("{") else { return false }
        if self.byte("}") { return true }
        repeat {
            self.skipSpace()
            guard let name = self.plainString(), self.byte(":"), member(&self, name) else { return false }
        } while self.byte(",")
        return self.byte("}")
    }

    /// A string of printable ASCII without escapes.
    private mutating func plainString() -> Plain? {
        guard self.byte("\"") else { return nil }
        let start = self.at
        while self.at < self.bytes.count {
            let byte = self.bytes[self.at]
            if byte == UInt8(ascii: "\"") {
                self.at += 1
                return Plain(bytes: UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.at - 1]))
            }
            guard byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\\") else { return nil }
            self.at += 1
        }
        return nil
    }

    /// Any value, passed over; strings must be plain, since only they are checked here.
    private mutating func skipValue(depth: Int = 0) -> Bool {
        self.skipSpace()
        guard self.at < self.bytes.count, depth < Self.depthMax else { return false }
        switch self.bytes[self.at] {
        case UInt8(ascii: "\""): return self.plainString() != nil
        case UInt8(ascii: "{"): return self.members { scanner, _ in scanner.skipValue(depth: depth + 1) }
        case UInt8(ascii: "["): return self.skipArray(depth: depth)
        case UInt8(ascii: "t"): return self.literal("true")
        case UInt8(ascii: "f"): return self.literal("false")
        case UInt8(ascii: "n"): return self.literal("null")
        default: return self.skipNumber()
        }
    }

    private mutating func skipArray(depth: Int) -> Bool {
        guard self.byte("[") else { return false }
        if self.byte("]") { return true }
        repeat {
            guard self.skipValue(depth: depth + 1) else { return false }
        } while self.byte(",")
        return self.byte("]")
    }

    private mutating func skipNumber() -> Bool {
        if self.at < self.bytes.count, self.bytes[self.at] == UInt8(ascii: "-") { self.at += 1 }
        let integer = self.at
        guard self.skipDigits() else { return false }
        if self.bytes[integer] == UInt8(ascii: "0"), self.at > integer + 1 { return false }
        if self.at < self.bytes.count, self.bytes[self.at] == UInt8(ascii: ".") {
            self.at += 1
            guard self.skipDigits() else { return false }
        }
        guard self.at < self.bytes.count, self.bytes[self.at] | 0x20 == UInt8(ascii: "e") else { return true }
        self.at += 1
        if self.at < self.bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(self.bytes[self.at]) {
            self.at += 1
        }
        return self.skipDigits()
    }

    private mutating func skipDigits() -> Bool {
        let start = self.at
        while self.at < self.bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self.bytes[self.at]) {
            self.at += 1
        }
        return self.at > start
    }
}

// MARK: Text

extension ChatChunkScanner {
    /// A string of any kind, appended as UTF-8.
    private mutating func string(into text: inout [UInt8]) -> Bool {
        guard self.byte("\"") else { return false }
        var copied = self.at
        while self.at < self.bytes.count {
            let byte = self.bytes[self.at]
            if byte == UInt8(ascii: "\"") {
                text.append(contentsOf: UnsafeRawBufferPointer(rebasing: self.bytes[copied..<self.at]))
                self.at += 1
                return true
            }
            if byte == UInt8(ascii: "\\") {
                text.append(contentsOf: UnsafeRawBufferPointer(rebasing: self.bytes[copied..<self.at]))
                guard self.escape(into: &text) else { return false }
                copied = self.at
            } else if byte >= 0x80 {
                guard let length = UTF8Sequence.length(in: self.bytes, at: self.at) else { return false }
                self.at += length
            } else {
                guard byte >= 0x20 else { return false }
                self.at += 1
            }
        }
        return false
    }

    private mutating func escape(into text: inout [UInt8]) -> Bool {
        guard self.at + 1 < self.bytes.count else { return false }
        let byte = self.bytes[self.at + 1]
        self.at += 2
        switch byte {
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "u"): return self.unicodeEscape(into: &text)
        default: return false
        }
        return true
    }

    /// Four digits were announced; a surrogate without its other half becomes U+FFFD, as in `LoneSurrogates`.
    private mutating func unicodeEscape(into text: inout [UInt8]) -> Bool {
        guard let first = self.fourDigits(at: self.at) else { return false }
        self.at += 4
        var value = UInt32(first)
        if (0xd800..<0xdc00).contains(first), self.at + 1 < self.bytes.count,
            self.bytes[self.at] == UInt8(ascii: "\\"), self.bytes[self.at + 1] == UInt8(ascii: "u"),
            let second = self.fourDigits(at: self.at + 2), (0xdc00..<0xe000).contains(second)
        {
            self.at += 6
            value = 0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00)
        }
        text.append(contentsOf: Character(Unicode.Scalar(value) ?? "\u{fffd}").utf8)
        return true
    }

    private func fourDigits(at start: Int) -> UInt16? {
        guard start + 4 <= self.bytes.count else { return nil }
        return HexDigits.value(of: self.bytes[start..<start + 4])
    }
}
