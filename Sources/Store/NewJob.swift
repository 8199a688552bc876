package import Domain

/// A job to be accepted.
package struct NewJob: Sendable {
    /// The client's own name for a request, and what the request said: the same key and hash give the same job.
    package struct Idempotency: Sendable, Equatable {
        package var key: String
        package var bodyHash: String

        package init(key: String, bodyHash: String) {
            self.key = key
            self.bodyHash = bodyHash
        }
    }

    /// The job that waits for this one, and this one's place among its children.
    package struct Parent: Sendable, Equatable {
        package var id: JobID
        /// The step of the parent that made it, from 0.
        package var step: Int
        /// Its place in that step, from 0.
        package var index: Int

        package init(id: JobID, step: Int, index: Int) {
            self.id = id
            self.step = step
            self.index = index
        }
    }

    package var id: JobID
    package var kind: JobKind
    package var tenant: TenantID
    package var priority: JobPriority
    /// The ordering key; nil makes the job its own lane.
    package var conversationID: ConversationID?
    package var agentID: AgentID?
    /// When it is due; nil at once.
    ///
    /// A delayed job takes its place in its lane when it is due.
    package var runAt: Timestamp?
    package var parent: Parent?
    package var idempotency: Idempotency?
    /// JSON, by kind.
    package var payload: String

    package init(
        id: JobID = JobID(),
        kind: JobKind,
        tenant: TenantID,
        priority: JobPriority = .default,
        conversationID: ConversationID? = nil,
        agentID: AgentID? = nil,
        runAt: Timestamp? = nil,
        parent: Parent? = nil,
        idempotency: Idempotency? = nil,
        payload: String
    ) {
        self.id = id
        self.kind = kind
        self.tenant = tenant
        self.priority = priority
        self.conversationID = conversationID
        self.agentID = agentID
        self.runAt = runAt
        self.parent = parent
        self.idempotency = idempotency
        self.payload = payload
    }

    var lane: String {
        self.conversationID.map { "\(self.tenant)/\($0)" } ?? self.id.rawValue
    }
}
