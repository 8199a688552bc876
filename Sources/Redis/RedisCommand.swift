import NIOCore

/// A command in its wire form, encoded once and cheap to copy.
///
///     RedisCommand("XADD", .string(key), "MAXLEN", "~", 50_000, "*", "frame", .bytes(frame))
package struct RedisCommand: Sendable {
    package let name: String
    /// RESP: an array of bulk strings.
    let encoded: ByteBuffer

    package init(_ name: String, _ arguments: RedisArgument...) {
        self.init(name, arguments: arguments)
    }

    package init(_ name: String, arguments: [RedisArgument]) {
        self.name = name
        var buffer = ByteBufferAllocator().buffer(capacity: Self.sizeEstimate(name, arguments))
        buffer.writeCount("*", arguments.count + 1)
        buffer.writeBulk(name)
        for argument in arguments {
            switch argument {
            case .string(let text): buffer.writeBulk(text)
            case .int(let number): buffer.writeBulk(String(number))
            case .bytes(let bytes):
                buffer.writeCount("$", bytes.readableBytes)
                buffer.writeImmutableBuffer(bytes)
                buffer.writeStaticString("\r\n")
            case .byteArray(let bytes):
                buffer.writeCount("$", bytes.count)
                buffer.writeBytes(bytes)
                buffer.writeStaticString("\r\n")
            }
        }
        self.encoded = buffer
        self.isUnsupported = Self.breaksReplyOrder(name, arguments.first)
    }

    /// True for commands after which replies no longer answer commands one by one; a client refuses them.
    let isUnsupported: Bool

    private static func sizeEstimate(_ name: String, _ arguments: [RedisArgument]) -> Int {
        // 16 bytes cover "$<length>\r\n…\r\n" for anything below a gigabyte, and a number's digits are at most 20.
        arguments.reduce(into: 32 + name.utf8.count) { size, argument in
            switch argument {
            case .string(let text): size += text.utf8.count + 16
            case .bytes(let bytes): size += bytes.readableBytes + 16
            case .byteArray(let bytes): size += bytes.count + 16
            case .int: size += 36
            }
        }
    }

    private static func breaksReplyOrder(_ name: String, _ first: RedisArgument?) -> Bool {
        switch name.utf8.first.map({ $0 | 0x20 }) {
        case UInt8(ascii: "s"), UInt8(ascii: "p"), UInt8(ascii: "u"), UInt8(ascii: "m"), UInt8(ascii: "h"),
            UInt8(ascii: "r"), UInt8(ascii: "q"):
            // Only these initials are worth the upper-casing; XADD and PUBLISH are the hot ones and PUBLISH pays it.
            return self.forbidden.contains(name.uppercased())
        case UInt8(ascii: "c"):
            guard name.uppercased() == "CLIENT", case .string(let subcommand) = first else { return false }
            return subcommand.uppercased() == "REPLY"
        default:
            return false
        }
    }

    private static let forbidden: Set<String> = [
        "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "MONITOR", "HELLO",
        "RESET", "QUIT", "SYNC", "PSYNC",
    ]
}

extension RedisCommand: CustomStringConvertible {
    /// The name alone: arguments may be secrets.
    package var description: String { self.name }
}

extension ByteBuffer {
    fileprivate mutating func writeCount(_ mark: StaticString, _ count: Int) {
        self.writeStaticString(mark)
        self.writeString(String(count))
        self.writeStaticString("\r\n")
    }

    fileprivate mutating func writeBulk(_ text: String) {
        self.writeCount("$", text.utf8.count)
        self.writeString(text)
        self.writeStaticString("\r\n")
    }
}
