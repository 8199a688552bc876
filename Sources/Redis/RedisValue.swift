package import NIOCore

/// One reply of the server, as RESP2 knows them.
package enum RedisValue: Sendable, Equatable {
    case null
    case simple(String)
    /// Only inside arrays (a failed command of an `EXEC`): an error that answers a command is thrown.
    case error(String)
    case integer(Int64)
    case bulk(ByteBuffer)
    case array([RedisValue])

    /// The text of a simple or bulk string, with U+FFFD for what is not UTF-8; nil for anything else.
    package var string: String? {
        switch self {
        case .simple(let text): text
        case .bulk(let buffer): String(buffer: buffer)
        case .null, .error, .integer, .array: nil
        }
    }

    /// An integer, or a string of decimal digits as hashes hold them; nil for anything else.
    package var int: Int64? {
        switch self {
        case .integer(let value): value
        case .simple, .bulk: self.string.flatMap { Int64($0) }
        case .null, .error, .array: nil
        }
    }

    /// The bytes of a bulk or simple string, nil for anything else.
    package var bytes: ByteBuffer? {
        switch self {
        case .bulk(let buffer): buffer
        case .simple(let text): ByteBuffer(string: text)
        case .null, .error, .integer, .array: nil
        }
    }

    /// The elements of an array, nil for anything else.
    package var array: [RedisValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var isNull: Bool { self == .null }
}
