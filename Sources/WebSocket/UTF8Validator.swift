/// Checks UTF-8 that arrives in pieces, and says no at the first byte that cannot be continued.
///
/// RFC 3629.
struct UTF8Validator {
    /// Continuation bytes that the character under way still needs.
    private var missing = 0
    /// What the next continuation byte may be: narrower after E0, ED, F0 and F4.
    private var allowed: ClosedRange<UInt8> = 0x80...0xBF

    /// Whether the bytes so far end with a whole character.
    var isComplete: Bool { self.missing == 0 }

    /// Takes the next piece; false when no continuation can make it valid.
    mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            if self.missing == 0 {
                index = self.endOfASCII(in: bytes, from: index)
                guard index < bytes.count else { return true }
                guard self.begin(with: bytes[index]) else { return false }
            } else {
                guard self.allowed.contains(bytes[index]) else { return false }
                self.missing -= 1
                self.allowed = 0x80...0xBF
            }
            index += 1
        }
        return true
    }

    private func endOfASCII(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index + 8 <= bytes.count,
            bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
            index += 8
        }
        while index < bytes.count, bytes[index] < 0x80 {
            index += 1
        }
        return index
    }

    private mutating func begin(with lead: UInt8) -> Bool {
        switch lead {
        case 0xC2...0xDF: self.expect(1)
        case 0xE0: self.expect(2, first: 0xA0...0xBF)
        case 0xED: self.expect(2, first: 0x80...0x9F)
        case 0xE1...0xEF: self.expect(2)
        case 0xF0: self.expect(3, first: 0x90...0xBF)
        case 0xF1...0xF3: self.expect(3)
        case 0xF4: self.expect(3, first: 0x80...0x8F)
        default: return false
        }
        return true
    }

    private mutating func expect(_ count: Int, first: ClosedRange<UInt8> = 0x80...0xBF) {
        self.missing = count
        self.allowed = first
    }
}
