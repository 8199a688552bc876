package import Domain

/// Everything that a run was promised, saw and left behind; what `InvariantChecker` judges.
///
/// It is read after all faults are healed and no job is open any more.
package struct RunRecord: Sendable {
    // What clients know.
    package var accepted: [AcceptedMessage] = []
    /// Texts that were sent and whose acceptance was never heard of: there may be a job for each, or none.
    package var unconfirmed: Set<String> = []
    package var cancels: [AnsweredCancel] = []
    package var followers: [ObservedFollower] = []

    // What is left.
    package var jobs: [ObservedJob] = []
    package var steps: [ObservedStep] = []
    /// The logs that Redis still has.
    package var logs: [JobID: [ObservedEvent]] = [:]
    package var conversations: [ConversationKey: [ObservedMessage]] = [:]
    package var tallies: [String: FakeProviderTally] = [:]
    package var memory: [MemorySample] = []

    // What was done to it.
    package var faults: [FaultWindow] = []
    /// How long after its end a fault may still show.
    package var aftermathMilliseconds: Int64 = 5000
    /// `queue.lost_max`.
    package var lostMax = 3
    /// How long a running job may go on after a cancel: the grace and a reaper's round, and some time for a busy machine.
    package var cancelMillisecondsMax: Int64 = 30_000
    package var residentBytesMax = 512 << 20

    package init() {}
}
