import CZlib
import NIOCore

/// Inflates one message at a time: raw deflate with the largest window, no memory of the message before.
///
/// RFC 7692.
/// `@unchecked Sendable` because `CompressionPool` hands each one to a single owner at a time; the memory of a
/// `z_stream` may not move, hence the pointer.
final class Inflater: @unchecked Sendable {
    private let stream: UnsafeMutablePointer<z_stream>

    /// Nil when zlib has no memory.
    init?() {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        let streamBytes = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(self.stream, -MAX_WBITS, ZLIB_VERSION, streamBytes) == Z_OK else { return nil }
    }

    deinit {
        inflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// Makes it ready for the next message.
    func reset() {
        inflateReset(self.stream)
    }

    /// Appends what the piece inflates to; throws 1009 as soon as `output` would hold more than `bytesMax`.
    func inflate(
        _ input: UnsafeMutableRawBufferPointer,
        into output: inout ByteBuffer,
        bytesMax: Int
    ) throws(WebSocketFailure) {
        self.stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        self.stream.pointee.avail_in = UInt32(input.count)
        defer { self.stream.pointee.next_in = nil }
        var outputWasFilled = true
        while self.stream.pointee.avail_in > 0 || outputWasFilled {
            outputWasFilled = try self.step(into: &output, bytesMax: bytesMax)
        }
    }

    /// Feeds the four bytes that the sender left out, and checks that the message ends where a block ends.
    func finish(into output: inout ByteBuffer, bytesMax: Int) throws(WebSocketFailure) {
        var tail: (UInt8, UInt8, UInt8, UInt8) = (0, 0, 0xFF, 0xFF)
        let result = withUnsafeMutableBytes(of: &tail) { bytes -> Result<Void, WebSocketFailure> in
            Result { () throws(WebSocketFailure) in
                try self.inflate(bytes, into: &output, bytesMax: bytesMax)
            }
        }
        try result.get()
        guard self.stream.pointee.data_type & 128 != 0 else {
            throw WebSocketFailure(.invalidPayload, "compressed message is incomplete")
        }
    }

    /// One call of zlib; true when it filled the room it had, so that more may wait inside.
    private func step(into output: inout ByteBuffer, bytesMax: Int) throws(WebSocketFailure) -> Bool {
        // One byte more than allowed, so that a bomb is told from a message of exactly the largest size.
        let roomMax = bytesMax + 1 - output.readableBytes
        let room = min(roomMax, max(512, Int(self.stream.pointee.avail_in) * 4))
        let inputBefore = self.stream.pointee.avail_in
        var status = Z_OK
        let written = output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { bytes in
            self.stream.pointee.next_out = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            self.stream.pointee.avail_out = UInt32(room)
            status = CZlib.inflate(self.stream, Z_SYNC_FLUSH)
            return room - Int(self.stream.pointee.avail_out)
        }
        self.stream.pointee.next_out = nil
        guard output.readableBytes <= bytesMax else { throw WebSocketFailure(.tooBig, "message too big") }
        switch status {
        case Z_OK:
            return written == room
        case Z_BUF_ERROR where inputBefore == 0:
            return false
        case Z_STREAM_END:
            // A sender may end its stream with a final block; what follows is a stream of its own.
            inflateReset(self.stream)
            return false
        default:
            throw WebSocketFailure(.invalidPayload, "compressed message is corrupt")
        }
    }
}
