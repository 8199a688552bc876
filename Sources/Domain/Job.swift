/// A job as its ledger row tells it.
public struct Job: Hashable, Sendable {
    /// The job's id.
    public var id: JobID
    /// What it does.
    public var kind: JobKind
    /// Whose it is.
    public var tenant: TenantID
    /// Where it is in its life.
    public var state: JobState
    /// How urgent it is.
    public var priority: JobPriority
    /// The conversation it belongs to.
    public var conversationID: ConversationID?
    /// The agent that runs it.
    public var agentID: AgentID?
    /// The job that waits for it.
    public var parentID: JobID?
    /// What it is to do: JSON, decoded by its kind.
    public var payload: String
    /// What came of it: JSON, nil until it has completed.
    public var result: String?
    /// Why it failed, or the reason of its death.
    public var failure: JobFailure?
    /// Why its run ended.
    public var stopReason: StopReason?
    /// What it cost: JSON, nil until it has ended.
    public var usage: String?
    /// Executions so far; those that a shutdown broke off, or that went to wait, are not counted.
    public var attempt: Int
    /// How often it was claimed, shutdowns counted: 1 means that nothing of it was ever shown.
    public var claims: Int
    /// How often its lease ran out.
    public var lost: Int
    /// How often it was put off for a fault of the infrastructure, to be tried again.
    public var failures: Int
    /// How often somebody put it back after its end.
    public var redrives: Int
    /// The fencing number of the newest lease; 0 before the first.
    public var epoch: Int64
    /// The worker that holds or last held the lease.
    public var workerID: WorkerID?
    /// Whether somebody asked for its end.
    public var cancelRequested: Bool
    /// Whether its terminal event is known to be in the log.
    public var announced: Bool
    /// When it was accepted.
    public var createdAt: Timestamp
    /// When it is due; only while it is `scheduled`.
    public var runAt: Timestamp?
    /// When its id last went on a stream.
    public var dispatchedAt: Timestamp?
    /// When its newest attempt began.
    public var startedAt: Timestamp?
    /// When it ended.
    public var finishedAt: Timestamp?

    /// A job with all its parts.
    public init(
        id: JobID,
        kind: JobKind,
        tenant: TenantID,
        state: JobState,
        priority: JobPriority,
        conversationID: ConversationID?,
        agentID: AgentID?,
        parentID: JobID?,
        payload: String,
        result: String?,
        failure: JobFailure?,
        stopReason: StopReason?,
        usage: String?,
        attempt: Int,
        claims: Int,
        lost: Int,
        failures: Int,
        redrives: Int,
        epoch: Int64,
        workerID: WorkerID?,
        cancelRequested: Bool,
        announced: Bool,
        createdAt: Timestamp,
        runAt: Timestamp?,
        dispatchedAt: Timestamp?,
        startedAt: Timestamp?,
        finishedAt: Timestamp?
    ) {
        self.id = id
        self.kind = kind
        self.tenant = tenant
        self.state = state
        self.priority = priority
        self.conversationID = conversationID
        self.agentID = agentID
        self.parentID = parentID
        self.payload = payload
        self.result = result
        self.failure = failure
        self.stopReason = stopReason
        self.usage = usage
        self.attempt = attempt
        self.claims = claims
        self.lost = lost
        self.failures = failures
        self.redrives = redrives
        self.epoch = epoch
        self.workerID = workerID
        self.cancelRequested = cancelRequested
        self.announced = announced
        self.createdAt = createdAt
        self.runAt = runAt
        self.dispatchedAt = dispatchedAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}
