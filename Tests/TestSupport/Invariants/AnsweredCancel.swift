package import Domain

/// A cancel that the server answered.
package struct AnsweredCancel: Sendable {
    package var job: JobID
    /// 200: the job had ended; 202: it was asked to.
    package var status: Int
    /// The job's state in the answer.
    package var state: String
    package var askedAt: Timestamp
    package var answeredAt: Timestamp

    package init(job: JobID, status: Int, state: String, askedAt: Timestamp, answeredAt: Timestamp) {
        self.job = job
        self.status = status
        self.state = state
        self.askedAt = askedAt
        self.answeredAt = answeredAt
    }
}
