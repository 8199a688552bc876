/// Why a job, or a request, failed, in words a client may see.
///
/// JSON: `{"code": "snake_case", "message": text, "retryable": bool}`.
public struct JobFailure: Error, Codable, Hashable, Sendable {
    /// A stable name for programs, for example `provider_rate_limited`.
    public var code: String
    /// A sentence for people.
    ///
    /// Never a key, never an internal.
    public var message: String
    /// Whether the same request may succeed later.
    public var retryable: Bool

    /// A failure with its parts.
    public init(code: String, message: String, retryable: Bool) {
        self.code = code
        self.message = message
        self.retryable = retryable
    }
}
