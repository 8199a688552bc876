package import Domain
package import Events

extension EventFrame {
    /// The first event of a job's log, told from what was submitted.
    static func start(
        of job: JobID,
        kind: JobKind,
        payload: String,
        conversation: ConversationID?,
        agent: AgentID?,
        redrives: Int
    ) throws -> EventFrame {
        let chat = kind == .chat ? try JSON.decode(ChatPayload.self, from: payload) : nil
        let data = EventData.Start(
            jobID: job,
            conversationID: conversation,
            agentID: agent,
            messageID: chat?.answerID.redriven(redrives),
            userMessageID: chat?.userMessageID
        )
        return try EventFrame(id: .start, type: .start, data: data)
    }
}

extension Job {
    /// The first event of the job's log.
    package func startFrame() throws -> EventFrame {
        try EventFrame.start(
            of: self.id,
            kind: self.kind,
            payload: self.payload,
            conversation: self.conversationID,
            agent: self.agentID,
            redrives: self.redrives
        )
    }

    /// The terminal event of an ended job, told from its row.
    package func terminalFrame(id: EventID) throws -> EventFrame {
        switch self.state {
        case .completed:
            let result = try JSON.decode(JSONValue.self, from: self.result ?? "{}")
            return try EventFrame(id: id, type: .complete, data: result)
        case .cancelled:
            return try EventFrame(id: id, type: .cancelled, data: EventData.Cancelled(jobID: self.id))
        case .failed, .dead:
            let unknown = JobFailure(code: "unknown", message: "The job failed.", retryable: false)
            let data = EventData.Failure(jobID: self.id, failure: self.failure ?? unknown)
            return try EventFrame(id: id, type: .error, data: data)
        case .scheduled, .queued, .dispatched, .running, .waiting:
            preconditionFailure("job \(self.id) is \(self.state), which is not an end")
        }
    }

    /// The last id before the one of a terminal event that not the worker writes: above every id that the worker may
    /// still come with, so that Redis refuses a second end.
    private var beforeLateEnd: EventID { EventID(epoch: max(self.epoch, 1), sequence: Int64(Int32.max)) }

    /// Where the terminal event goes that a reaper writes in the worker's place, into a log that ends at `last`.
    func lateEnd(after last: EventID) -> EventID { max(self.beforeLateEnd, last).next }

    /// What a reaper shuts the log with before it writes the end: the whole text, where there is one.
    func seal() throws -> EventFrame {
        // A result that cannot be read is no reason to leave the end untold.
        if case .ended(let snapshot?, _)? = try? self.view() { return snapshot }
        let data = EventData.Attempt(jobID: self.id, attempt: self.attempt, reason: "ended")
        return try EventFrame(id: self.beforeLateEnd, type: .attempt, data: data)
    }

    /// Whether a client with this cursor has the terminal event: `last` is the end of the log, nil when that is gone.
    package func hasShownEnd(at cursor: EventID, last: (id: EventID, type: EventType)?) -> Bool {
        guard self.state.isTerminal else { return false }
        guard let last else { return cursor > self.beforeLateEnd }
        return last.type.isTerminal && last.id <= cursor
    }

    /// What a follower is told when the log does not have the end.
    package func view() throws -> LedgerView {
        guard self.state.isTerminal else { return .open(start: try self.startFrame()) }
        let last = self.beforeLateEnd
        var snapshot: EventFrame?
        if self.kind == .chat, let result = self.result {
            let reply = try JSON.decode(ChatReply.self, from: result)
            let data = EventData.Snapshot(
                jobID: self.id,
                text: reply.response,
                reasoning: reply.reasoning,
                iteration: reply.iterations
            )
            snapshot = try EventFrame(id: last, type: .snapshot, data: data)
        }
        return .ended(snapshot: snapshot, terminal: try self.terminalFrame(id: last.next))
    }
}
