import NIOCore

/// Takes WebSocket frames of a server apart: unmasked, not compressed, as our servers send them to us.
struct ServerFrameReader {
    enum Frame {
        case message(ByteBuffer)
        case ping(ByteBuffer)
        case close(ByteBuffer)
        case other
    }

    private static let payloadBytesMax = 16 * 1024 * 1024
    private var input = ByteBuffer()

    mutating func append(_ bytes: ByteBuffer) {
        if self.input.readableBytes == 0 { self.input = bytes } else { self.input.writeImmutableBuffer(bytes) }
    }

    /// The response to the upgrade request, once it is complete; its frames may follow at once.
    mutating func readHead() -> String? {
        guard let end = self.input.withUnsafeReadableBytes({ ByteSearch.first("\r\n\r\n", in: $0) }) else { return nil }
        return self.input.readString(length: end + 4)
    }

    /// The next complete frame.
    ///
    /// Throws for what only a broken server sends, and for fragments, which ours never does.
    mutating func next() throws -> Frame? {
        let start = self.input.readerIndex
        guard let opening = self.input.getInteger(at: start, as: UInt8.self),
            let short = self.input.getInteger(at: start + 1, as: UInt8.self)
        else { return nil }
        guard opening & 0xF0 == 0x80, short & 0x80 == 0 else {
            throw BenchFailure("a frame that begins with \(opening), \(short)")
        }
        guard let (headBytes, length) = self.length(short, at: start + 2) else { return nil }
        guard length <= Self.payloadBytesMax else {
            throw BenchFailure("a frame of \(length) bytes")
        }
        guard self.input.readableBytes >= headBytes + length else { return nil }
        self.input.moveReaderIndex(forwardBy: headBytes)
        let payload = self.input.readSlice(length: length) ?? ByteBuffer()
        switch opening & 0x0F {
        case 1, 2: return .message(payload)
        case 8: return .close(payload)
        case 9: return .ping(payload)
        default: return .other
        }
    }

    private func length(_ short: UInt8, at index: Int) -> (headBytes: Int, length: Int)? {
        switch short {
        case 126: self.input.getInteger(at: index, as: UInt16.self).map { (4, Int($0)) }
        case 127: self.input.getInteger(at: index, as: UInt64.self).map { (10, Int(clamping: $0)) }
        default: (2, Int(short))
        }
    }
}
