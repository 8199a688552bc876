package import Domain

/// How a job ends.
package struct Ending: Sendable {
    /// A terminal state.
    package var state: JobState
    /// JSON; nil unless completed.
    package var result: String?
    /// Nil unless failed or dead.
    package var failure: JobFailure?
    package var stopReason: StopReason?
    /// What it cost: JSON; nil when nothing is known.
    package var usage: String?
    /// What the conversation gets.
    package var messages: [Message]

    package init(
        state: JobState,
        result: String? = nil,
        failure: JobFailure? = nil,
        stopReason: StopReason? = nil,
        usage: String? = nil,
        messages: [Message] = []
    ) {
        precondition(state.isTerminal, "\(state) is not an ending")
        self.state = state
        self.result = result
        self.failure = failure
        self.stopReason = stopReason
        self.usage = usage
        self.messages = messages
    }
}
