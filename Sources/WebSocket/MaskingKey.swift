/// The four bytes that hide a client's payload from intermediaries.
///
/// RFC 6455, section 5.3.
struct MaskingKey: Equatable {
    /// In network order: the most significant byte is applied first.
    let bits: UInt32

    static func random() -> MaskingKey {
        MaskingKey(bits: .random(in: .min ... .max))
    }

    /// Masks or unmasks in place; `offset` is the position of the first byte inside the frame's payload.
    func apply(to bytes: UnsafeMutableRawBufferPointer, offset: Int) {
        let pattern = self.pattern(offset: offset)
        var index = 0
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            bytes.storeBytes(of: word ^ pattern.littleEndian, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < bytes.count {
            bytes[index] ^= UInt8(truncatingIfNeeded: pattern >> (8 * UInt64(index & 7)))
            index += 1
        }
    }

    /// Eight mask bytes from `offset` on, the first one in the lowest byte.
    private func pattern(offset: Int) -> UInt64 {
        var pattern: UInt64 = 0
        for index in 0..<8 {
            let byte = (self.bits >> UInt32(24 - 8 * ((offset + index) & 3))) & 0xFF
            pattern |= UInt64(byte) << UInt64(8 * index)
        }
        return pattern
    }
}
