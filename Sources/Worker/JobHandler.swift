package import Domain
import Engine
import Events
import Logging
package import Queue
package import Store

/// Runs the jobs of one kind.
package protocol JobHandler: Sendable {
    /// Whether its events are sent while it runs, and not only with its end.
    var isStreaming: Bool { get }

    /// Runs one attempt.
    ///
    /// A `JobFailure` that it throws ends the job as failed, a `DecodingError` as dead; with anything else the job is put
    /// off and tried again.
    func run(_ lease: Lease, in context: RunContext) async throws -> JobOutcome
}

/// What an attempt has around it.
package struct RunContext: Sendable {
    let queue: JobQueue
    let writer: LogWriter
    let control: RunControl
    let logger: Logger
}

/// The one value in which an attempt ends.
package enum JobOutcome: Sendable {
    /// The job ends.
    case ended(Ending)
    /// Not now: another attempt after that time; `failures` is the count of faults so far, nil for one more than before.
    case putOff(JobFailure, after: Duration, failures: Int? = nil)
    /// The job waits for children, without a slot; `prepare` runs in the transaction that submits them.
    case waiting([NewJob], ChildFailurePolicy, prepare: @Sendable (any SQLConnection) throws -> Void)
    /// The worker ends: the job goes back and the attempt does not count.
    case released
    /// The lease is gone, or may be: nothing may be written any more.
    case abandoned

    var isAbandoned: Bool { if case .abandoned = self { true } else { false } }
}
