import Domain

/// A job as the server tells it.
///
/// States and kinds are texts, so that a client does not stumble over one that came later.
struct ShownJob: Decodable {
    struct Child: Decodable {
        let jobID: String
        let state: String

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case state
        }
    }

    struct Progress: Decodable {
        let iteration: Int
        let maxIterations: Int

        enum CodingKeys: String, CodingKey {
            case iteration
            case maxIterations = "max_iterations"
        }
    }

    let jobID: String
    let kind: String
    let state: String
    let priority: String
    let conversationID: String?
    let agentID: String?
    let parentID: String?
    let children: [Child]?
    let attempt: Int
    let lost: Int
    let createdAt: Timestamp
    let runAt: Timestamp?
    let startedAt: Timestamp?
    let finishedAt: Timestamp?
    let position: Int?
    let progress: Progress?
    let result: JSONValue?
    let error: JobFailure?
    let stopReason: String?
    let usage: JSONValue?

    /// How long its newest attempt has run, or ran.
    var runTime: Duration? { self.startedAt.map { (self.finishedAt ?? .now) - $0 } }

    var colour: Terminal.Colour? { Self.colour(of: self.state) }

    static func colour(of state: String) -> Terminal.Colour? {
        switch state {
        case "running": .green
        case "failed", "dead": .red
        case "scheduled", "queued", "dispatched", "waiting": .yellow
        default: nil
        }
    }

    enum CodingKeys: String, CodingKey {
        case jobID = "job_id"
        case kind, state, priority
        case conversationID = "conversation_id"
        case agentID = "agent_id"
        case parentID = "parent_id"
        case children, attempt, lost
        case createdAt = "created_at"
        case runAt = "run_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case position, progress, result, error
        case stopReason = "stop_reason"
        case usage
    }
}
