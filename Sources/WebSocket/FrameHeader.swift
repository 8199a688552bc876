import NIOCore

/// The first 2 to 14 bytes of a frame.
///
/// RFC 6455, section 5.2.
struct FrameHeader: Equatable {
    var isFinal = true
    /// The first reserved bit: the message is compressed.
    ///
    /// RFC 7692, section 6.
    var isCompressed = false
    var opcode: FrameOpcode
    var mask: MaskingKey?
    var payloadBytes: Int

    /// Reads a header when all of it has arrived; nil leaves the buffer as it is.
    ///
    /// Breaches are thrown as soon as the byte that shows them is there.
    static func read(from buffer: inout ByteBuffer, rules: FrameRules) throws(WebSocketFailure) -> FrameHeader? {
        let start = buffer.readerIndex
        guard let first: UInt8 = buffer.getInteger(at: start), let second: UInt8 = buffer.getInteger(at: start + 1)
        else { return nil }
        let opcode = try self.checkedOpcode(first: first, second: second, rules: rules)
        guard let (length, lengthBytes) = try self.length(second & 0x7F, in: buffer) else { return nil }
        guard length <= UInt64(rules.frameBytesMax) else { throw WebSocketFailure(.tooBig, "frame too big") }

        var mask: MaskingKey?
        var headerBytes = 2 + lengthBytes
        if rules.peerMasks {
            guard let bits: UInt32 = buffer.getInteger(at: start + headerBytes) else { return nil }
            mask = MaskingKey(bits: bits)
            headerBytes += 4
        }
        buffer.moveReaderIndex(forwardBy: headerBytes)
        return FrameHeader(
            isFinal: first & 0x80 != 0,
            isCompressed: first & 0x40 != 0,
            opcode: opcode,
            mask: mask,
            payloadBytes: Int(length)
        )
    }

    /// Writes the header in its shortest form.
    func write(to buffer: inout ByteBuffer) {
        let flags: UInt8 = (self.isFinal ? 0x80 : 0) | (self.isCompressed ? 0x40 : 0)
        let maskBit: UInt8 = self.mask == nil ? 0 : 0x80
        buffer.writeInteger(flags | self.opcode.rawValue)
        switch self.payloadBytes {
        case ...125:
            buffer.writeInteger(maskBit | UInt8(self.payloadBytes))
        case ...0xFFFF:
            buffer.writeInteger(maskBit | 126)
            buffer.writeInteger(UInt16(self.payloadBytes))
        default:
            buffer.writeInteger(maskBit | 127)
            buffer.writeInteger(UInt64(self.payloadBytes))
        }
        if let mask = self.mask {
            buffer.writeInteger(mask.bits)
        }
    }

    private static func checkedOpcode(
        first: UInt8,
        second: UInt8,
        rules: FrameRules
    ) throws(WebSocketFailure) -> FrameOpcode {
        guard let opcode = FrameOpcode(rawValue: first & 0x0F) else {
            throw WebSocketFailure(.protocolError, "reserved opcode")
        }
        guard first & 0x30 == 0 else { throw WebSocketFailure(.protocolError, "reserved bit set") }
        let mayBeCompressed = rules.allowsCompression && (opcode == .text || opcode == .binary)
        guard first & 0x40 == 0 || mayBeCompressed else { throw WebSocketFailure(.protocolError, "reserved bit set") }
        if opcode.isControl {
            guard first & 0x80 != 0 else { throw WebSocketFailure(.protocolError, "fragmented control frame") }
            guard second & 0x7F <= 125 else { throw WebSocketFailure(.protocolError, "control frame too long") }
        }
        guard (second & 0x80 != 0) == rules.peerMasks else {
            throw WebSocketFailure(.protocolError, rules.peerMasks ? "frame not masked" : "frame masked")
        }
        return opcode
    }

    /// The payload's length and the bytes that said so besides the first; nil until they are there.
    private static func length(
        _ short: UInt8,
        in buffer: ByteBuffer
    ) throws(WebSocketFailure) -> (UInt64, extraBytes: Int)? {
        let start = buffer.readerIndex + 2
        switch short {
        case 126:
            guard let length: UInt16 = buffer.getInteger(at: start) else { return nil }
            guard length > 125 else { throw WebSocketFailure(.protocolError, "length not in its shortest form") }
            return (UInt64(length), 2)
        case 127:
            guard let length: UInt64 = buffer.getInteger(at: start) else { return nil }
            guard length > 0xFFFF, length <= UInt64(Int64.max) else {
                throw WebSocketFailure(.protocolError, "length not in its shortest form")
            }
            return (length, 8)
        default:
            return (UInt64(short), 0)
        }
    }
}
