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
        /// As many jobs wait as may. Nothing was accepted; try again after `retryAfter`.
        case tooMany
        /// New jobs are not accepted now, running ones go on. Try again after `retryAfter`.
        case refused
        /// Not possible in the present state of things; the text says why.
        case conflict
        /// The idempotency key was used for another request.
        case keyReused
    }

    package let code: Code
    package let message: String
    /// When the same call may succeed; only with `tooMany` and `refused`.
    package let retryAfter: Duration?
    package let underlying: (any Error)?

    package init(
        _ code: Code,
        _ message: String,
        retryAfter: Duration? = nil,
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.underlying = underlying
    }

    package var description: String { "\(self.code.rawValue): \(self.message)" }
}
