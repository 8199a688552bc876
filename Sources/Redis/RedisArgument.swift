package import NIOCore

/// One argument of a command: text, bytes or a number.
///
/// Literals and interpolated strings convert by themselves; variables are wrapped, as in `.string(key)`.
package enum RedisArgument: Sendable, Equatable {
    case string(String)
    case bytes(ByteBuffer)
    case byteArray([UInt8])
    case int(Int)
}

extension RedisArgument: ExpressibleByStringInterpolation {
    package init(stringLiteral value: String) { self = .string(value) }
}

extension RedisArgument: ExpressibleByIntegerLiteral {
    package init(integerLiteral value: Int) { self = .int(value) }
}
