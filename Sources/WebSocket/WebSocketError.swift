/// What can go wrong with a socket seen from its user.
package struct WebSocketError: Error, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The socket is closed or closing; nothing more can be sent.
        case closed
        /// The server answered the upgrade with this HTTP status.
        case refused(status: Int)
        /// No connection, or no answer to the upgrade.
        case connectFailed
        /// The connect deadline passed.
        case timedOut
        /// The URL cannot be used.
        case invalidURL
    }

    package let code: Code
    package let message: String
    package let underlying: (any Error)?

    package init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    package var description: String {
        guard let underlying else { return "\(self.message) (\(self.code))" }
        return "\(self.message) (\(self.code)): \(underlying)"
    }
}
