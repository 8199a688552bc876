package import Domain

/// The one value in which a run ends.
package enum RunOutcome: Sendable, Equatable {
    /// With an answer, or with what was there when a stop condition held.
    case completed(RunResult)
    /// Without; `RunResult` has what was there.
    ///
    /// A failure that is retryable has been tried as often as the policy allows.
    case failed(JobFailure, RunResult)
    /// Not now: to be tried again by another attempt after that time, without a slot meanwhile.
    case putOff(JobFailure, after: Duration, RunResult)
    /// Somebody asked for the end.
    case cancelled(RunResult)
    /// The worker ends: the job goes back and nothing of this attempt counts but its journal.
    case released
    /// The lease is gone, or may be: nothing may be written any more.
    case abandoned
}

/// What a run has made.
package struct RunResult: Sendable, Equatable {
    /// The text of the last iteration.
    package var text: String
    /// Its reasoning.
    package var reasoning: String
    package var actions: [ActionResult]
    package var iterations: Int
    package var usage: TokenUsage
    package var stopReason: StopReason
    /// Faults that were answered by trying again since the last turn that came to its end, earlier attempts included.
    package var failures: Int

    package init(
        text: String,
        reasoning: String,
        actions: [ActionResult],
        iterations: Int,
        usage: TokenUsage,
        stopReason: StopReason,
        failures: Int = 0
    ) {
        self.text = text
        self.reasoning = reasoning
        self.actions = actions
        self.iterations = iterations
        self.usage = usage
        self.stopReason = stopReason
        self.failures = failures
    }
}
