/// What went wrong in the database.
package struct StoreError: Error, Sendable, CustomStringConvertible {
    /// The sort of failure, which decides what a caller does.
    package enum Code: String, Sendable {
        /// Another process held the write lock for longer than the busy timeout. Try again.
        case busy
        /// Too many writes wait already. Try again later.
        case overloaded
        /// No room on the disk. Nothing was written.
        case full
        /// The job belongs to somebody else by now: the epoch or state is not what the caller believed.
        case fenced
        /// No such row, or not this tenant's.
        case notFound
        /// Not possible as things stand; the text says why.
        case conflict
        /// The schema is newer than this program.
        case schemaTooNew
        /// A row cannot be understood.
        case corrupt
        /// The database is closed or failed otherwise.
        case unavailable
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

    /// Whether the same call may succeed if it is made again.
    package var isTransient: Bool {
        switch self.code {
        case .busy, .overloaded, .full, .unavailable: true
        case .fenced, .notFound, .conflict, .schemaTooNew, .corrupt: false
        }
    }
}
