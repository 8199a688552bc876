/// A frame made or read by hand, with every bit open to abuse.
struct RawFrame: Equatable, CustomStringConvertible {
    var opcode: UInt8
    var payload: [UInt8] = []
    var isFinal = true
    var reserved: UInt8 = 0
    var mask: [UInt8]? = [0x11, 0x22, 0x83, 0xC4]

    static func text(_ text: String, isFinal: Bool = true) -> RawFrame {
        RawFrame(opcode: 1, payload: Array(text.utf8), isFinal: isFinal)
    }

    static func continuation(_ payload: [UInt8], isFinal: Bool = false) -> RawFrame {
        RawFrame(opcode: 0, payload: payload, isFinal: isFinal)
    }

    static func close(_ code: UInt16, _ reason: [UInt8] = []) -> RawFrame {
        RawFrame(opcode: 8, payload: [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
    }

    var closeCode: UInt16? {
        guard self.opcode == 8, self.payload.count >= 2 else { return nil }
        return UInt16(self.payload[0]) << 8 | UInt16(self.payload[1])
    }

    var text: String { String(decoding: self.payload, as: UTF8.self) }

    var description: String { "opcode \(self.opcode), \(self.payload.count) bytes: \(self.payload.prefix(40))" }

    var bytes: [UInt8] {
        let first = (self.isFinal ? 0x80 : 0) | self.reserved << 4 | self.opcode
        let maskBit: UInt8 = self.mask == nil ? 0 : 0x80
        var bytes = [first]
        switch self.payload.count {
        case ...125: bytes.append(maskBit | UInt8(self.payload.count))
        case ...0xFFFF: bytes += [maskBit | 126] + Self.bigEndian(self.payload.count, byteCount: 2)
        default: bytes += [maskBit | 127] + Self.bigEndian(self.payload.count, byteCount: 8)
        }
        guard let mask = self.mask else { return bytes + self.payload }
        bytes += mask
        bytes += self.payload.enumerated().map { $0.element ^ mask[$0.offset % 4] }
        return bytes
    }

    /// Takes one unmasked frame off the front; nil when it is not all there.
    static func read(from bytes: inout ArraySlice<UInt8>) -> RawFrame? {
        let all = Array(bytes.prefix(14))
        guard all.count >= 2 else { return nil }
        var headerBytes = 2
        var length = Int(all[1] & 0x7F)
        if length >= 126 {
            headerBytes += length == 126 ? 2 : 8
            guard all.count >= headerBytes else { return nil }
            length = all[2..<headerBytes].reduce(0) { $0 << 8 | Int($1) }
        }
        guard bytes.count >= headerBytes + length else { return nil }
        let payload = Array(bytes.dropFirst(headerBytes).prefix(length))
        bytes = bytes.dropFirst(headerBytes + length)
        return RawFrame(
            opcode: all[0] & 0x0F,
            payload: payload,
            isFinal: all[0] & 0x80 != 0,
            reserved: all[0] >> 4 & 7,
            mask: nil
        )
    }

    private static func bigEndian(_ value: Int, byteCount: Int) -> [UInt8] {
        (0..<byteCount).reversed().map { UInt8(value >> (8 * $0) & 0xFF) }
    }
}
