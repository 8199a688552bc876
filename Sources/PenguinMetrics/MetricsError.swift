/// Why figures could not be read.
package struct MetricsError: Error {
    package enum Code: String, Sendable {
        /// A file of `/proc` is missing, may not be read, or does not say what it should.
        case unreadable
    }

    package var code: Code
    package var message: String
    package var underlying: (any Error)?

    package init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }
}

extension MetricsError: CustomStringConvertible {
    package var description: String { "Metrics \(self.code.rawValue): \(self.message)" }
}
