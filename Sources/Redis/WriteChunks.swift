import NIOCore

/// Joins small encoded commands, so that a write is few system buffers, and leaves large ones uncopied.
enum WriteChunks {
    private static let copiedBytesMax = 16 * 1024

    static func joined(_ pieces: [ByteBuffer]) -> [ByteBuffer] {
        guard pieces.count > 1 else { return pieces }
        var chunks: [ByteBuffer] = []
        var small = ByteBuffer()
        for piece in pieces {
            if piece.readableBytes <= self.copiedBytesMax {
                small.writeImmutableBuffer(piece)
                continue
            }
            if small.readableBytes > 0 { chunks.append(small) }
            small = ByteBuffer()
            chunks.append(piece)
        }
        if small.readableBytes > 0 { chunks.append(small) }
        return chunks
    }
}
