/// Where a job is in its life; docs/job-lifecycle.md has the diagram.
public enum JobState: String, Codable, CaseIterable, Sendable {
    /// Accepted, to be queued at `run_at`.
    case scheduled
    /// Accepted, waiting for its turn in its lane and for room in the dispatch window.
    case queued
    /// Its id is on a Redis stream.
    case dispatched
    /// A worker holds the lease.
    case running
    /// Waits for children or a human, without a slot.
    case waiting
    /// Ended with an answer.
    case completed
    /// Ended with an error.
    case failed
    /// Ended because somebody asked.
    case cancelled
    /// Given up: lost or failed too often. Kept for people to look at.
    case dead

    /// Whether nothing more happens to the job.
    public var isTerminal: Bool {
        switch self {
        case .completed, .failed, .cancelled, .dead: true
        case .scheduled, .queued, .dispatched, .running, .waiting: false
        }
    }
}

/// What a job does; decides who decodes its payload and runs it.
public enum JobKind: String, Codable, CaseIterable, Sendable {
    /// One message to an agent and its answer.
    case chat
    /// Several messages at once, each a job of its own: the parent waits for them and gathers their answers.
    case workflow
    /// Nothing: what is left of a job when only the queue works. For measuring; no route makes one.
    case noop
}

/// How urgent a job is.
///
/// In the ledger: the number, so that it sorts.
public enum JobPriority: Int, Codable, CaseIterable, Sendable {
    /// Before the others.
    case high = 0
    /// What a job has unless somebody says otherwise.
    case `default` = 1
    /// When nothing else waits, and now and then.
    case low = 2

    /// The priority of that name; nil when there is none.
    public init?(name: String) {
        guard let priority = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = priority
    }

    /// The priority's name in the API and in the stream's key.
    public var name: String {
        switch self {
        case .high: "high"
        case .default: "default"
        case .low: "low"
        }
    }
}
