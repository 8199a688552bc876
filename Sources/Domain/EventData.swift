/// The `data` of the events that are not on the token path; each carries `job_id`, so that jobs can share a socket.
public enum EventData {
    /// The data of `start`.
    public struct Start: Codable, Hashable, Sendable {
        /// The job.
        public var jobID: JobID
        /// Its conversation.
        public var conversationID: ConversationID?
        /// Who will answer.
        public var agentID: AgentID?
        /// The id that the answer will have.
        public var messageID: MessageID?
        /// The id of the user's message.
        public var userMessageID: MessageID?

        /// The data with its parts.
        public init(
            jobID: JobID,
            conversationID: ConversationID?,
            agentID: AgentID?,
            messageID: MessageID?,
            userMessageID: MessageID?
        ) {
            self.jobID = jobID
            self.conversationID = conversationID
            self.agentID = agentID
            self.messageID = messageID
            self.userMessageID = userMessageID
        }

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case conversationID = "conversation_id"
            case agentID = "agent_id"
            case messageID = "message_id"
            case userMessageID = "user_message_id"
        }
    }

    /// The data of `attempt`.
    public struct Attempt: Codable, Hashable, Sendable {
        /// The job.
        public var jobID: JobID
        /// Which execution this is, from 1.
        public var attempt: Int
        /// `claimed`, or `lost` when a lease ran out and the job waits again.
        public var reason: String

        /// The data with its parts.
        public init(jobID: JobID, attempt: Int, reason: String) {
            self.jobID = jobID
            self.attempt = attempt
            self.reason = reason
        }

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case attempt, reason
        }
    }

    /// The data of `progress`.
    public struct Iteration: Codable, Hashable, Sendable {
        /// The job.
        public var jobID: JobID
        /// The iteration that begins, from 1.
        public var iteration: Int
        /// The most there can be.
        public var maxIterations: Int

        /// The data with its parts.
        public init(jobID: JobID, iteration: Int, maxIterations: Int) {
            self.jobID = jobID
            self.iteration = iteration
            self.maxIterations = maxIterations
        }

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case iteration
            case maxIterations = "max_iterations"
        }
    }

    /// The data of `action`.
    public struct Action: Codable, Hashable, Sendable {
        /// The job.
        public var jobID: JobID
        /// The tool's name.
        public var action: String
        /// The call's arguments at `start`, its result at `end`.
        public var result: String
        /// `running` at `start`; at `end` as in `ActionResult`.
        public var status: String
        /// The call.
        public var toolCallID: String
        /// `start` or `end`.
        public var phase: String

        /// The data with its parts.
        public init(
            jobID: JobID,
            action: String,
            result: String,
            status: String,
            toolCallID: String,
            phase: String
        ) {
            self.jobID = jobID
            self.action = action
            self.result = result
            self.status = status
            self.toolCallID = toolCallID
            self.phase = phase
        }

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case action, result, status
            case toolCallID = "tool_call_id"
            case phase
        }
    }

    /// The data of `child`.
    public struct Child: Codable, Hashable, Sendable {
        /// The job.
        public var jobID: JobID
        /// The job that it waited for.
        public var childID: JobID
        /// Its place among the children, from 0.
        public var index: Int
        /// How it ended.
        public var state: JobState

        /// The data of a child.
        public init(jobID: JobID, child: Job, index: Int) {
            self.jobID = jobID
            self.childID = child.id
            self.index = index
            self.state = child.state
        }

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case childID = "child_id"
            case index, state
        }
    }

    /// The data of `snapshot`.
    public struct Snapshot: Codable, Hashable, Sendable {
        /// The job.
        public var jobID: JobID
        /// The text of the iteration so far; replaces what the client has.
        public var text: String
        /// The reasoning of the iteration so far, when the job shows it.
        public var reasoning: String?
        /// The iteration the text belongs to; 0 before the first.
        public var iteration: Int

        /// The data with its parts.
        public init(jobID: JobID, text: String, reasoning: String?, iteration: Int) {
            self.jobID = jobID
            self.text = text
            self.reasoning = reasoning
            self.iteration = iteration
        }

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case text, reasoning, iteration
        }
    }

    /// The data of `truncate`.
    public struct Truncate: Codable, Hashable, Sendable {
        /// The job.
        public var jobID: JobID
        /// The last event that still counts.
        public var to: EventID

        /// The data with its parts.
        public init(jobID: JobID, to: EventID) {
            self.jobID = jobID
            self.to = to
        }

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case to
        }
    }

    /// The data of `error`.
    public struct Failure: Codable, Hashable, Sendable {
        /// The job; absent when the frame could not be read.
        public var jobID: JobID?
        /// A stable name for programs.
        public var code: String
        /// A sentence for people.
        public var message: String
        /// Whether the same request may succeed later.
        public var retryable: Bool

        /// The data of a failed job.
        public init(jobID: JobID?, failure: JobFailure) {
            self.jobID = jobID
            self.code = failure.code
            self.message = failure.message
            self.retryable = failure.retryable
        }

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
            case code, message, retryable
        }
    }

    /// The data of `cancelled`.
    public struct Cancelled: Codable, Hashable, Sendable {
        /// The job.
        public var jobID: JobID

        /// The data with its part.
        public init(jobID: JobID) { self.jobID = jobID }

        enum CodingKeys: String, CodingKey {
            case jobID = "job_id"
        }
    }
}
