/// What went wrong with a job's life.
package struct QueueError: Error, Sendable, CustomStringConvertible {
    /// The sort of failure.
    package enum Code: String, Sendable {
        /// The job belongs to somebody else by now; stop at once.
        case fenced
        /// No such job, or not this tenant's.
        case notFound
        /// The database cannot take it now. Nothing was accepted; try again.
        case unavailable
        /// Redis cannot be used as it is set up; the text says what to change.
        case unsuitable
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
