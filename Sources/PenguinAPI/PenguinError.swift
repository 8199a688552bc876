import Queue
import Store

/// Why Penguin did not do what it was asked.
public struct PenguinError: Error, Sendable, CustomStringConvertible {
    /// The sort of failure.
    public enum Code: String, Sendable, CaseIterable {
        /// Values are missing or not allowed; `problems` says which.
        case invalid
        /// No such conversation, job, agent …, or not the caller's.
        case notFound = "not_found"
        /// Not possible in the present state.
        case conflict
        /// The idempotency key was used for another request.
        case keyReused = "idempotency_key_reused"
        /// As many jobs wait as may. Nothing was accepted; try again after `retryAfter`.
        case tooMany = "queue_full"
        /// Penguin cannot take it now. Nothing was accepted; try again.
        case unavailable
        /// A fault of ours.
        case `internal`
    }

    /// One value that was refused.
    public struct Problem: Sendable, Hashable, Codable {
        /// Where it is: `["body", "text"]`.
        public var loc: [String]
        /// What is wrong, and what is allowed.
        public var msg: String
        /// A stable name for programs: `missing`, `type`, `value`.
        public var type: String

        /// A problem with its parts.
        public init(loc: [String], msg: String, type: String) {
            self.loc = loc
            self.msg = msg
            self.type = type
        }
    }

    /// The sort of failure.
    public let code: Code
    /// A sentence for people.
    public let message: String
    /// What was refused; only with `invalid`.
    public let problems: [Problem]
    /// When the same call may succeed; only with `tooMany` and `unavailable`, and then not always.
    public let retryAfter: Duration?
    /// For the log, never for a client.
    let underlying: (any Error)?

    /// A failure with its parts.
    public init(_ code: Code, _ message: String, problems: [Problem] = []) {
        self.init(code, message, problems: problems, underlying: nil)
    }

    init(
        _ code: Code,
        _ message: String,
        problems: [Problem] = [],
        retryAfter: Duration? = nil,
        underlying: (any Error)?
    ) {
        self.code = code
        self.message = message
        self.problems = problems
        self.retryAfter = retryAfter
        self.underlying = underlying
    }

    /// Whether the same call may succeed later.
    public var isRetryable: Bool {
        switch self.code {
        case .tooMany, .unavailable: true
        case .invalid, .notFound, .conflict, .keyReused, .internal: false
        }
    }

    /// Code, message and what is behind them; for logs.
    public var description: String {
        "\(self.code.rawValue): \(self.message)" + (self.underlying.map { " (\($0))" } ?? "")
    }
}

extension PenguinError {
    init(_ error: QueueError) {
        switch error.code {
        case .notFound: self.init(.notFound, error.message, underlying: error)
        case .fenced: self.init(.conflict, "The job has moved on.", underlying: error)
        case .conflict: self.init(.conflict, error.message, underlying: error)
        case .keyReused: self.init(.keyReused, error.message, underlying: error)
        case .tooMany: self.init(.tooMany, error.message, retryAfter: error.retryAfter, underlying: error)
        case .refused: self.init(.unavailable, error.message, retryAfter: error.retryAfter, underlying: error)
        case .unavailable, .unsuitable: self.init(.unavailable, Self.tryAgain, underlying: error)
        }
    }

    init(_ error: StoreError) {
        switch error.code {
        case .notFound: self.init(.notFound, error.message, underlying: error)
        case .conflict: self.init(.conflict, error.message, underlying: error)
        case .fenced: self.init(.conflict, "It has changed meanwhile.", underlying: error)
        case .busy, .overloaded, .full, .unavailable: self.init(.unavailable, Self.tryAgain, underlying: error)
        case .corrupt, .schemaTooNew: self.init(.internal, "The stored data cannot be read.", underlying: error)
        }
    }

    private static let tryAgain = "Penguin cannot reach its data now. Nothing was accepted; try again."
}
