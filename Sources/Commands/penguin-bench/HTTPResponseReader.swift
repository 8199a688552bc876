import Foundation
import NIOCore

/// What a server answered.
struct HTTPReply: Sendable {
    let status: Int
    let location: String?
    let body: ByteBuffer
    let sentAt: Moment
    /// When the first byte of the body was here.
    let bodyBeganAt: Moment
    let endedAt: Moment

    /// What to say about it when it is not what was wanted.
    var excerpt: String { "status \(self.status): \(String(buffer: self.body).prefix(120))" }
}

/// Reads HTTP/1.1 responses: as much of the protocol as the servers under test speak, because a full parser would take
/// more of the machine than they should lose to their client.
struct HTTPResponseReader {
    struct Head {
        var status = 0
        /// Nil: the body is chunked.
        var length: Int?
        var location: String?
    }

    private var input = ByteBuffer()
    private var head: Head?
    private var body = ByteBuffer()
    private var bodyBeganAt: Moment?

    mutating func append(_ bytes: ByteBuffer) {
        if self.input.readableBytes == 0 { self.input = bytes } else { self.input.writeImmutableBuffer(bytes) }
    }

    /// The next response once it is complete; `sentAt` is when its request was sent.
    mutating func next(sentAt: Moment) throws -> HTTPReply? {
        if self.head == nil { self.head = try self.readHead() }
        guard let head = self.head else { return nil }
        if self.bodyBeganAt == nil, self.input.readableBytes > 0 { self.bodyBeganAt = .now }
        guard try self.readBody(head) else { return nil }
        let now = Moment.now
        let reply = HTTPReply(
            status: head.status,
            location: head.location,
            body: self.body,
            sentAt: sentAt,
            bodyBeganAt: self.bodyBeganAt ?? now,
            endedAt: now
        )
        self.head = nil
        self.body = ByteBuffer()
        self.bodyBeganAt = nil
        return reply
    }

    private mutating func readHead() throws -> Head? {
        guard let end = self.input.withUnsafeReadableBytes({ ByteSearch.first("\r\n\r\n", in: $0) }) else { return nil }
        guard let bytes = self.input.readSlice(length: end + 4) else { return nil }
        return try bytes.withUnsafeReadableBytes { try Self.parse($0) }
    }

    private static func parse(_ bytes: UnsafeRawBufferPointer) throws -> Head {
        var head = Head()
        guard bytes.count > 12, let status = Int(String(decoding: bytes[9..<12], as: UTF8.self)) else {
            throw BenchFailure("no status line: \(String(decoding: bytes.prefix(40), as: UTF8.self))")
        }
        head.status = status
        var isChunked = false
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            switch line.first {
            case UInt8(ascii: "c"), UInt8(ascii: "C"):
                if let value = self.value(of: "content-length", in: line) { head.length = Int(value) }
            case UInt8(ascii: "t"), UInt8(ascii: "T"):
                isChunked = isChunked || self.value(of: "transfer-encoding", in: line) == "chunked"
            case UInt8(ascii: "l"), UInt8(ascii: "L"):
                head.location = head.location ?? self.value(of: "location", in: line)
            default: break
            }
        }
        guard isChunked || head.length != nil else { throw BenchFailure("a response without a length") }
        return head
    }

    /// The value when the line is a header of that name; `name` is in small letters.
    private static func value(of name: StaticString, in line: Slice<UnsafeRawBufferPointer>) -> String? {
        let count = name.utf8CodeUnitCount
        guard line.count > count, line[line.startIndex + count] == UInt8(ascii: ":"),
            name.withUTF8Buffer({ zip(line, $0).allSatisfy { $0 | 0x20 == $1 | 0x20 } })
        else { return nil }
        return String(decoding: line.dropFirst(count + 1), as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines
        )
    }

    /// Whether the body is complete.
    private mutating func readBody(_ head: Head) throws -> Bool {
        guard let length = head.length else { return try self.readChunks() }
        guard let bytes = self.input.readSlice(length: length) else { return false }
        self.body = bytes
        return true
    }

    private mutating func readChunks() throws -> Bool {
        while let lineEnd = self.input.withUnsafeReadableBytes({ ByteSearch.first("\r\n", in: $0) }) {
            guard let line = self.input.getString(at: self.input.readerIndex, length: lineEnd),
                let size = Int(line.prefix { $0 != ";" }, radix: 16)
            else { throw BenchFailure("a chunk without a size") }
            // The size's line, the chunk, and the line end after it; a trailer is not expected.
            guard self.input.readableBytes >= lineEnd + 2 + size + 2 else { return false }
            self.input.moveReaderIndex(forwardBy: lineEnd + 2)
            if var chunk = self.input.readSlice(length: size) { self.body.writeBuffer(&chunk) }
            self.input.moveReaderIndex(forwardBy: 2)
            if size == 0 { return true }
        }
        return false
    }
}
