/// Why a command, a connection or a URL failed.
package struct RedisError: Error, Sendable, Equatable {
    package enum Code: String, Sendable {
        /// No connection before the deadline; the command was never sent.
        case notConnected
        /// The connection broke after the command was sent: it may or may not have been executed.
        case connectionLost
        /// Sent, but no reply before the deadline: it may or may not have been executed.
        case timeout
        /// `queuedCommandsMax`, `queuedBytesMax` or `subscriptionsMax` is reached; the command was not sent.
        case queueFull
        /// The server answered with an error; `message` is its text and begins with its code (`NOGROUP`, `WRONGTYPE`).
        case server
        /// The server sent something that is not RESP2 or that answers nothing; the connection is closed.
        case protocolViolation
        /// The calling task was cancelled. A command that was already sent may still be executed.
        case cancelled
        /// The URL, or the settings it leads to, cannot be used.
        case badURL
        /// The server refused the user or the password; connecting goes on.
        case authentication
        /// TLS could not be agreed on: the certificate is not trusted, is for another host, or the CA file is unreadable.
        case tls
        /// The command would change the meaning of later replies (`SUBSCRIBE`, `MONITOR`, …) and is never sent.
        case unsupported
        /// `close()` was called, or `run()` has ended.
        case closed
    }

    package var code: Code
    /// What happened, in words for a log; never holds a password or an argument of a command.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// For who waited in vain: `.authentication` or `.tls` when that is why, `.notConnected` otherwise.
    static func noConnection(for what: String, because failure: RedisError?) -> RedisError {
        let reason = failure.map { ": " + $0.message } ?? ""
        let message = "no connection in time for \(what)\(reason)"
        return switch failure?.code {
        case .authentication?: RedisError(.authentication, message)
        case .tls?: RedisError(.tls, message)
        default: RedisError(.notConnected, message)
        }
    }

    /// The first word of a server's error (`NOGROUP`, `ERR`), nil for the client's own errors.
    package var serverCode: String? {
        guard self.code == .server else { return nil }
        return String(self.message.prefix { $0 != " " })
    }
}

extension RedisError: CustomStringConvertible {
    package var description: String { "Redis \(self.code.rawValue): \(self.message)" }
}
