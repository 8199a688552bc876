package import Domain

/// A message that the server said it has: by a 202, or by a `start` frame.
package struct AcceptedMessage: Sendable {
    package var job: JobID
    package var conversation: ConversationKey
    /// Unlike every other message's of the run.
    package var text: String
    /// Its place among the accepted messages of its conversation, each sent after the one before was accepted.
    package var number: Int
    package var acceptedAt: Timestamp
    /// What the model answers.
    package var answer: String
    /// How often the provider was told to fail for it.
    package var failures: Int

    package init(
        job: JobID,
        conversation: ConversationKey,
        text: String,
        number: Int,
        acceptedAt: Timestamp,
        answer: String,
        failures: Int = 0
    ) {
        self.job = job
        self.conversation = conversation
        self.text = text
        self.number = number
        self.acceptedAt = acceptedAt
        self.answer = answer
        self.failures = failures
    }
}
