import CHiredis
import NIOCore

/// hiredis' incremental RESP2 parser: bytes in, whole replies out.
///
/// Belongs to one connection and is used on its event loop only. Arrays nest at most 7 deep (hiredis 0.14).
final class ReplyReader {
    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let builder = ReplyBuilder()
    private let replyBytesMax: Int
    /// Bytes fed since the last whole reply: what an unfinished one has cost so far.
    private var unfinishedBytes = 0

    /// hiredis moves its whole buffer after every kilobyte of replies, so it is fed in pieces that are cheap to move.
    private static let pieceBytes = 16 * 1024

    init(replyBytesMax: Int) throws(RedisError) {
        self.replyBytesMax = replyBytesMax
        self.functions = .allocate(capacity: 1)
        self.functions.initialize(to: ReplyBuilder.makeFunctions())
        guard let reader = redisReaderCreateWithFunctions(self.functions) else {
            self.functions.deallocate()
            throw RedisError(.protocolViolation, "no memory for a reply reader")
        }
        self.reader = reader
        // Keeps the buffer between reads; by default it is given back above 16 KiB, which is every read.
        reader.pointee.maxbuf = 4 * Self.pieceBytes
        reader.pointee.privdata = Unmanaged.passUnretained(self.builder).toOpaque()
    }

    deinit {
        redisReaderFree(self.reader)
        self.functions.deallocate()
    }

    /// Parses `bytes` and appends every reply that is now whole to `replies`.
    ///
    /// Throws `.protocolViolation` for what is not RESP2 and for a reply above `replyBytesMax`; the replies before it
    /// are in `replies`, and the reader is of no more use.
    func read(_ bytes: ByteBuffer, into replies: inout [RedisValue]) throws(RedisError) {
        var rest = bytes
        while let piece = rest.readSlice(length: min(rest.readableBytes, Self.pieceBytes)), piece.readableBytes > 0 {
            let status = piece.withUnsafeReadableBytes { pointer in
                redisReaderFeed(
                    self.reader,
                    pointer.baseAddress?.assumingMemoryBound(to: CChar.self),
                    pointer.count
                )
            }
            guard status == REDIS_OK else { throw self.violation }
            self.unfinishedBytes += piece.readableBytes
            try self.drain(into: &replies)
        }
    }

    private func drain(into replies: inout [RedisValue]) throws(RedisError) {
        while true {
            var object: UnsafeMutableRawPointer?
            guard redisReaderGetReply(self.reader, &object) == REDIS_OK else { throw self.violation }
            guard object != nil, let reply = self.builder.take() else { break }
            replies.append(reply)
            self.unfinishedBytes = 0
        }
        guard self.unfinishedBytes <= self.replyBytesMax else {
            throw RedisError(.protocolViolation, "a reply is larger than \(self.replyBytesMax) bytes")
        }
    }

    private var violation: RedisError {
        // The only "out of memory" is the builder's: a Swift allocation that fails traps instead.
        let isCut = self.reader.pointee.err == REDIS_ERR_OOM
        let text =
            isCut
            ? "a bulk string is longer than its length"
            : withUnsafeBytes(of: self.reader.pointee.errstr) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
        return RedisError(.protocolViolation, "the server does not speak RESP2: \(text)")
    }
}
