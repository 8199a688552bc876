import CHiredis
@preconcurrency internal import NIOCore

/// A connection, owned by one event loop at a time, hence its unchecked `Sendable`.
@available(*, deprecated)
package final class RedisConnection: @unchecked Sendable {
    // Set before the connection is shared, never after.
    nonisolated(unsafe) private var name = ""

    package func append(_ text: String) -> [String] {
        ["XADD", "log", "*", "text", text]
    }
}
