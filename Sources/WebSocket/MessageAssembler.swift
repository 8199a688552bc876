import NIOCore

/// Joins the data frames of one message: unmasks, inflates, checks UTF-8 and the size while the bytes arrive.
struct MessageAssembler {
    /// A message under way: nothing of it is kept once it is complete.
    private struct Part {
        let isText: Bool
        let isCompressed: Bool
        var payload = ByteBuffer()
        var utf8 = UTF8Validator()
        /// Taken with the first compressed byte, given back with the last.
        var inflater: Inflater?
    }

    private let messageBytesMax: Int
    private let pool: CompressionPool
    private var part: Part?

    init(messageBytesMax: Int, pool: CompressionPool) {
        self.messageBytesMax = messageBytesMax
        self.pool = pool
    }

    /// Takes the header of a data frame.
    mutating func begin(_ header: FrameHeader) throws(WebSocketFailure) {
        switch (header.opcode, self.part) {
        case (.continuation, nil):
            throw WebSocketFailure(.protocolError, "nothing to continue")
        case (.continuation, _):
            break
        case (_, nil):
            self.part = Part(isText: header.opcode == .text, isCompressed: header.isCompressed)
        default:
            throw WebSocketFailure(.protocolError, "message inside a message")
        }
        guard let part, !part.isCompressed else { return }
        guard part.payload.readableBytes + header.payloadBytes <= self.messageBytesMax else {
            throw WebSocketFailure(.tooBig, "message too big")
        }
    }

    /// Takes some bytes of the frame's payload; `offset` is their position in it.
    mutating func append(_ bytes: ByteBuffer, mask: MaskingKey?, offset: Int) throws(WebSocketFailure) {
        // Taken out, else the payload has two owners and every append copies it.
        guard var part = self.part.take() else { return }
        defer { self.part = part }
        let start = part.payload.writerIndex
        if part.isCompressed {
            try self.inflate(bytes, mask: mask, offset: offset, into: &part)
        } else {
            part.payload.writeImmutableBuffer(bytes)
            if let mask { part.payload.withBytes(from: start) { mask.apply(to: $0, offset: offset) } }
        }
        try self.validate(&part, from: start)
    }

    /// Ends the frame; the message when it was the last frame.
    mutating func end(_ header: FrameHeader) throws(WebSocketFailure) -> WebSocketMessage? {
        guard header.isFinal, var part = self.part.take() else { return nil }
        if let inflater = part.inflater {
            let start = part.payload.writerIndex
            defer { self.pool.giveBack(inflater) }
            try inflater.finish(into: &part.payload, bytesMax: self.messageBytesMax)
            try self.validate(&part, from: start)
        }
        guard part.utf8.isComplete else { throw Self.notUTF8 }
        return part.isText ? .text(part.payload) : .binary(part.payload)
    }

    private static var notUTF8: WebSocketFailure { WebSocketFailure(.invalidPayload, "text is not UTF-8") }

    private func inflate(
        _ bytes: ByteBuffer,
        mask: MaskingKey?,
        offset: Int,
        into part: inout Part
    ) throws(WebSocketFailure) {
        let inflater: Inflater
        if let current = part.inflater {
            inflater = current
        } else {
            inflater = try self.pool.takeInflater()
            part.inflater = inflater
        }
        var scratch = ByteBuffer()
        scratch.writeImmutableBuffer(bytes)
        let messageBytesMax = self.messageBytesMax
        var payload = ByteBuffer()
        swap(&payload, &part.payload)
        defer { swap(&payload, &part.payload) }
        let result = scratch.withUnsafeMutableReadableBytes { input in
            Result { () throws(WebSocketFailure) in
                mask?.apply(to: input, offset: offset)
                try inflater.inflate(input, into: &payload, bytesMax: messageBytesMax)
            }
        }
        try result.get()
    }

    private func validate(_ part: inout Part, from start: Int) throws(WebSocketFailure) {
        guard part.isText else { return }
        let isValid = part.payload.withUnsafeReadableBytes { bytes in
            part.utf8.accept(UnsafeRawBufferPointer(rebasing: bytes[(start - part.payload.readerIndex)...]))
        }
        guard isValid else { throw Self.notUTF8 }
    }
}

extension ByteBuffer {
    /// The readable bytes from an index on, to be changed in place.
    mutating func withBytes(from index: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        let skipped = index - self.readerIndex
        self.withUnsafeMutableReadableBytes { bytes in
            body(UnsafeMutableRawBufferPointer(rebasing: bytes[skipped...]))
        }
    }
}
