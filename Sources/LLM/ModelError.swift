/// Why a turn got no answer, or only a part of one.
package struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What happened; the raw values appear in API errors.
    package enum Code: String, Sendable, CaseIterable {
        /// 401 or 403, or no key at all.
        case authentication = "provider_authentication"
        /// 402, or a 429 that says that the quota is used up.
        case quotaExceeded = "provider_quota_exceeded"
        /// 429.
        case rateLimited = "provider_rate_limited"
        /// 409, 503 or 529: busy.
        case overloaded = "provider_overloaded"
        /// Any other 5xx.
        case serverError = "provider_server_error"
        /// 408, or no byte for the model's idle timeout.
        case timeout = "provider_timeout"
        /// No connection, or one that was lost before the answer began.
        case connection = "provider_connection"
        /// The TLS certificate or handshake.
        case tls = "provider_tls"
        /// Any other 4xx.
        case badRequest = "provider_bad_request"
        /// 404: the model or the path.
        case notFound = "provider_not_found"
        /// The prompt does not fit into the model's context window.
        case contextTooLong = "provider_context_too_long"
        /// An answer that is not what the wire format says.
        case malformed = "provider_malformed"
        /// An answer that began and ended without its end; asked again once at most.
        case cutOff = "provider_cut_off"
        /// An answer beyond what is taken from a provider.
        case answerTooLarge = "provider_answer_too_large"
        /// A wire format that is not spoken.
        case unsupported = "provider_unsupported"
        /// No configuration has that id.
        case unknownModel = "unknown_model"
        /// The task was cancelled.
        case cancelled
    }

    /// Messages are cut to this many characters.
    package static let messageCharactersMax = 1000

    /// What happened.
    package var code: Code
    /// The provider's own words where it had any; never a key.
    package var message: String
    /// The HTTP status, when there was one.
    package var status: Int?
    /// How long the provider asks to wait.
    package var retryAfter: Duration?

    /// An error of the given kind.
    package init(_ code: Code, _ message: String, status: Int? = nil, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.status = status
        self.retryAfter = retryAfter
    }

    /// Whether asking again can help; `cutOff` counts, though only once.
    package var isRetryable: Bool {
        switch self.code {
        case .rateLimited, .overloaded, .serverError, .timeout, .connection, .cutOff: true
        case .authentication, .quotaExceeded, .tls, .badRequest, .notFound, .contextTooLong, .malformed,
            .answerTooLarge, .unsupported, .unknownModel, .cancelled:
            false
        }
    }

    package var description: String { "\(self.code.rawValue): \(self.message)" }

    static let cancelled = ModelError(.cancelled, "the turn was cancelled")
}
