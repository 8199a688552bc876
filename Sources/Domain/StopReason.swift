/// Why a run ended; the closed list of the engine.
public enum StopReason: String, Codable, CaseIterable, Sendable {
    /// A turn without tool calls: the answer.
    case finalAnswer = "final_answer"
    /// The run has used its iterations and has no answer.
    case maxIterations = "max_iterations"
    /// The run's time was up; what was there is kept.
    case timeLimit = "time_limit"
    /// Somebody cancelled the job.
    case cancelled
    /// The same answer or tool call again and again, or only empty turns.
    case stalled
    /// A job that this one waited for has failed.
    case childFailed = "child_failed"
    /// The model provider failed.
    case providerError = "provider_error"
}
