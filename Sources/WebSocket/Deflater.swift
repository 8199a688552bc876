import CZlib
import NIOCore

/// Compresses one message at a time, without memory of the message before.
///
/// RFC 7692, section 7.2.1.
/// `@unchecked Sendable` because `CompressionPool` hands each one to a single owner at a time; the memory of a
/// `z_stream` may not move, hence the pointer.
final class Deflater: @unchecked Sendable {
    private let stream: UnsafeMutablePointer<z_stream>

    /// Speed over ratio: most of what is sent is JSON, which compresses well at any level.
    private static let level: Int32 = 3

    /// Nil when zlib has no memory; `windowBits` is 9 to 15.
    init?(windowBits: Int) {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        let streamBytes = Int32(MemoryLayout<z_stream>.size)
        let status = deflateInit2_(
            self.stream,
            Self.level,
            Z_DEFLATED,
            -Int32(windowBits),
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            streamBytes
        )
        guard status == Z_OK else { return nil }
    }

    deinit {
        deflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// The message compressed, without the four bytes that every receiver adds; nil when that is not smaller.
    func compress(_ message: ByteBuffer) -> ByteBuffer? {
        defer { deflateReset(self.stream) }
        var output = ByteBufferAllocator().buffer(capacity: message.readableBytes / 2 + 64)
        let isDone = message.withUnsafeReadableBytes { bytes in
            // zlib only reads here; its header says otherwise unless compiled with ZLIB_CONST.
            let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
            self.stream.pointee.next_in = start?.assumingMemoryBound(to: UInt8.self)
            self.stream.pointee.avail_in = UInt32(bytes.count)
            return self.run(into: &output, bytesMax: bytes.count)
        }
        self.stream.pointee.next_in = nil
        self.stream.pointee.next_out = nil
        guard isDone, output.readableBytes > 4 else { return nil }
        output.moveWriterIndex(to: output.writerIndex - 4)
        return output
    }

    private func run(into output: inout ByteBuffer, bytesMax: Int) -> Bool {
        while true {
            let room = max(output.writableBytes, 1_024)
            var status = Z_OK
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { bytes in
                self.stream.pointee.next_out = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
                self.stream.pointee.avail_out = UInt32(room)
                status = deflate(self.stream, Z_SYNC_FLUSH)
                return room - Int(self.stream.pointee.avail_out)
            }
            guard status == Z_OK || status == Z_BUF_ERROR else { return false }
            guard output.readableBytes < bytesMax else { return false }
            if self.stream.pointee.avail_out > 0 { return true }
        }
    }
}
