/// Which jobs are meant; whatever is nil, or empty, leaves all of them.
public struct JobFilter: Hashable, Sendable {
    /// Any of these states.
    public var states: Set<JobState>
    /// What they do.
    public var kind: JobKind?
    /// The conversation they belong to.
    public var conversationID: ConversationID?
    /// The agent that runs them.
    public var agentID: AgentID?
    /// The job that waits for them.
    public var parentID: JobID?

    /// A filter with its parts.
    public init(
        states: Set<JobState> = [],
        kind: JobKind? = nil,
        conversationID: ConversationID? = nil,
        agentID: AgentID? = nil,
        parentID: JobID? = nil
    ) {
        self.states = states
        self.kind = kind
        self.conversationID = conversationID
        self.agentID = agentID
        self.parentID = parentID
    }
}
