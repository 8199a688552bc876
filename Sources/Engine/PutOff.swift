import Domain
import LLM

/// The run cannot go on now, and should hold no slot until it can.
struct PutOff: Error {
    let failure: JobFailure
    let after: Duration
}

extension ModelError {
    /// What the retry policy is asked about.
    func fault(hasBegun: Bool) -> RetryPolicy.Fault {
        guard self.isRetryable else { return .work }
        return hasBegun ? .cut : .provider(retryAfter: self.retryAfter)
    }

    /// What a client is told.
    var failure: JobFailure {
        JobFailure(code: self.code.rawValue, message: self.message, retryable: self.isRetryable)
    }
}
