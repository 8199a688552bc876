/// What an event says; the `event` member of every frame.
public enum EventType: String, Codable, CaseIterable, Sendable {
    /// The job is accepted. First in every log.
    case start
    /// A worker has taken the job, or its lease was lost. Verbose.
    case attempt
    /// Text of the answer.
    case token
    /// Text of the model's reasoning; only for those who ask.
    case reasoning
    /// An iteration begins.
    case progress
    /// A tool call begins or ends.
    case action
    /// A child of the job has ended. Verbose.
    case child
    /// The whole text so far, in place of events that are gone.
    case snapshot
    /// Forget the text that came after `to`.
    case truncate
    /// The answer. Terminal.
    case complete
    /// The failure. Terminal.
    case error
    /// Somebody stopped the job. Terminal.
    case cancelled

    /// Whether no event of the job follows.
    public var isTerminal: Bool {
        switch self {
        case .complete, .error, .cancelled: true
        case .start, .attempt, .token, .reasoning, .progress, .action, .child, .snapshot, .truncate: false
        }
    }
}
