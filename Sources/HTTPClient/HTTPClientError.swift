/// Why a request got no answer, or only a part of one.
package struct HTTPClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What happened.
    package enum Code: String, Sendable, CaseIterable {
        /// No connection: refused, unreachable, or not there within the connect timeout.
        case connect
        /// The name of the host or of the proxy has no address.
        case dns
        /// The TLS handshake failed or the certificate was not accepted.
        case tls
        /// No byte in either direction for the idle timeout.
        case timeout
        /// The other side ended the connection before the answer was complete.
        case reset
        /// The task was cancelled.
        case cancelled
        /// The answer is larger than the caller allowed.
        case tooLarge = "too_large"
        /// The answer was not HTTP.
        case protocolError = "protocol_error"
        /// The request cannot be sent as it is: its URL or a header.
        case invalidRequest = "invalid_request"
        /// The client was shut down.
        case shutDown = "shut_down"
        /// libcurl failed for a reason of its own, such as no memory.
        case failed
    }

    /// What happened.
    package var code: Code
    /// For the log: libcurl's words; no header and no body is part of it.
    package var message: String

    /// An error of the given kind.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(self.code.rawValue): \(self.message)" }

    static let cancelled = HTTPClientError(.cancelled, "the request was cancelled")
    static let shutDown = HTTPClientError(.shutDown, "the HTTP client was shut down")
}
