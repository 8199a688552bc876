import Foundation

/// Writes JSON by hand where encoding is on the token path.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) {
        self.bytes.reserveCapacity(capacity)
    }

    /// Appends text that is JSON already.
    mutating func raw(_ text: String) {
        self.bytes.append(contentsOf: text.utf8)
    }

    /// Appends bytes that are JSON already.
    mutating func raw(_ data: Data) {
        self.bytes.append(contentsOf: data)
    }

    /// Appends a JSON string: quotes, escapes for `"`, `\` and control characters, everything else as it is.
    mutating func string(_ text: String) {
        self.bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for index in utf8.indices where Self.needsEscape(utf8[index]) {
                self.bytes.append(contentsOf: utf8[start..<index])
                self.escape(utf8[index])
                start = index + 1
            }
            self.bytes.append(contentsOf: utf8[start...])
        }
        self.bytes.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): self.raw(#"\""#)
        case UInt8(ascii: "\\"): self.raw(#"\\"#)
        case 0x0A: self.raw(#"\n"#)
        case 0x0D: self.raw(#"\r"#)
        case 0x09: self.raw(#"\t"#)
        default:
            let digits: [UInt8] = Array("0123456789abcdef".utf8)
            self.raw(#"\u00"#)
            self.bytes.append(digits[Int(byte >> 4)])
            self.bytes.append(digits[Int(byte & 0xF)])
        }
    }
}
