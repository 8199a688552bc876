package import Domain

/// A row of `jobs`, with what a checker needs of it.
package struct ObservedJob: Sendable {
    package static let endStates: Set<String> = ["completed", "failed", "cancelled", "dead"]

    package var id: JobID
    package var conversation: ConversationKey
    package var state: String
    /// Of the payload.
    package var text: String
    package var attempt = 0
    package var claims = 0
    package var lost = 0
    package var epoch: Int64 = 0
    package var result: JSONValue?
    package var failure: JSONValue?
    package var isAnnounced = true
    package var createdAt: Timestamp
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    package var cancelRequestedAt: Timestamp?

    package init(id: JobID, conversation: ConversationKey, state: String, text: String, createdAt: Timestamp) {
        self.id = id
        self.conversation = conversation
        self.state = state
        self.text = text
        self.createdAt = createdAt
    }

    package var hasEnded: Bool { Self.endStates.contains(self.state) }
    /// Of the result.
    package var response: String? { self.result?["response"]?.string }
    /// What followers are told at the end; nil while it runs.
    var terminalEvent: EventType? {
        switch self.state {
        case "completed": .complete
        case "cancelled": .cancelled
        case "failed", "dead": .error
        default: nil
        }
    }
}
