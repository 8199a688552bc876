/// What went wrong with a job's log.
package struct EventsError: Error, Sendable, CustomStringConvertible {
    /// The sort of failure.
    package enum Code: String, Sendable {
        /// A newer epoch has written to the log: whoever gets this must stop at once.
        case fenced
        /// Redis did not answer; whether the events were appended is not known.
        case unavailable
        /// An entry is not an event.
        case malformed
    }

    package let code: Code
    package let message: String
    package let underlying: (any Error)?

    package init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    package var description: String { "\(self.code.rawValue): \(self.message)" }
}
