public import Domain
import Events
import Foundation
import LLM
import NIOCore
import Queue
import ServiceLifecycle
import Store

/// A chat job that was accepted, or found again by its idempotency key, with a follower that has seen its `start`.
package struct ChatTicket: Sendable {
    package let jobID: JobID
    package let conversationID: ConversationID
    /// Whether an earlier request made the job.
    package let isReplay: Bool
    /// When the job is due; nil for at once.
    package let runAt: Timestamp?
    /// The `start` event, to be shown at once.
    package let start: EventFrame
    package let feed: JobFeed
}

/// What a chat call came to.
public enum ChatResult: Sendable {
    /// The answer.
    case completed(ChatReply)
    /// The failure of the model or the run; the message stays in the conversation.
    case failed(JobID, JobFailure)
    /// Somebody cancelled the job.
    case cancelled(JobID)
    /// It runs on; ask for the job.
    case running(JobID)
}

/// A piece of a streamed answer.
public enum ChatChunk: Sendable {
    /// Text of the answer.
    case text(String)
    /// Text of the reasoning.
    case reasoning(String)
    /// What came before does not count: the text is this.
    case replaced(text: String)
    /// The end.
    case finished(ChatResult)
}

extension Penguin {
    /// Sends a message and waits for the answer, at most `PENGUIN_SYNC_TIMEOUT`; the job goes on whatever the caller does.
    public func chat(_ request: ChatRequest, by tenant: TenantID = .default) async throws(PenguinError) -> ChatResult {
        let ticket = try await self.submit(request, by: tenant)
        guard let terminal = await self.end(of: ticket) else { return .running(ticket.jobID) }
        do {
            return try ChatResult(terminal, of: ticket.jobID)
        } catch {
            throw PenguinError(.internal, "The answer cannot be read.", underlying: error)
        }
    }

    /// Accepts a message as a job: on disk when this returns, and followed from its first event.
    package func submit(_ request: ChatRequest, by tenant: TenantID) async throws(PenguinError) -> ChatTicket {
        try self.check(request)
        let conversation = request.conversationID.map(ConversationID.init(rawValue:)) ?? ConversationID()
        let agent = AgentID(rawValue: request.agentID)
        let job: NewJob
        let start: EventFrame
        do {
            job = try self.newJob(request, in: conversation, of: tenant)
            start = try job.startFrame()
        } catch {
            throw PenguinError(.internal, "The message cannot be encoded.", underlying: error)
        }
        let title = Self.title(from: request.text)
        let accepted: Accepted<JobFeed>
        do {
            accepted = try await self.queue.submit(job) { connection in
                try Conversations(connection).ensure(conversation, of: tenant, title: title, agent: agent)
            } attach: { id in
                await self.follow(id, after: .start, isNew: id == job.id)
            }
        } catch {
            throw PenguinError(error)
        }
        if accepted.isReplay { return try await self.ticket(of: accepted, of: tenant) }
        return ChatTicket(
            jobID: job.id,
            conversationID: conversation,
            isReplay: false,
            runAt: job.runAt,
            start: start,
            feed: accepted.attachment
        )
    }

    private func newJob(
        _ request: ChatRequest,
        in conversation: ConversationID,
        of tenant: TenantID
    ) throws -> NewJob {
        let agent = AgentID(rawValue: request.agentID)
        let payload = ChatPayload(
            text: request.text,
            conversationID: conversation,
            agentID: agent,
            context: request.context,
            streaming: request.streaming,
            maxIterations: request.maxIterations ?? self.defaults.chatIterationsMax,
            includeReasoning: request.includeReasoning,
            model: request.model
        )
        return NewJob(
            kind: .chat,
            tenant: tenant,
            priority: request.priority,
            conversationID: conversation,
            agentID: agent,
            runAt: request.dueTime(at: .now),
            idempotency: try request.idempotencyKey.map { .init(key: $0, bodyHash: try request.bodyHash()) },
            payload: try JSON.text(payload)
        )
    }

    /// The ticket of a job that an earlier request made.
    private func ticket(
        of accepted: Accepted<JobFeed>,
        of tenant: TenantID
    ) async throws(PenguinError) -> ChatTicket {
        let job = try await self.row(of: accepted.jobID, of: tenant)
        guard let conversation = job.conversationID else {
            throw PenguinError(.keyReused, "The idempotency key was used for what is no message.")
        }
        do {
            return ChatTicket(
                jobID: job.id,
                conversationID: conversation,
                isReplay: true,
                runAt: job.runAt,
                start: try job.startFrame(),
                feed: accepted.attachment
            )
        } catch {
            throw PenguinError(.internal, "The earlier message cannot be read.", underlying: error)
        }
    }

    /// The terminal event of a job that was just accepted; nil when it still runs after the sync timeout, or when this
    /// process is told to end.
    package func end(of ticket: ChatTicket) async -> JobEvent? {
        await withTaskGroup(of: JobEvent?.self) { group in
            group.addTask { await ticket.feed.end() }
            group.addTask { [timeout = self.defaults.syncTimeout] in
                try? await Task.sleep(for: timeout)
                return nil
            }
            // A server that ends answers with the job's id instead of holding the connection.
            group.addTask {
                try? await gracefulShutdown()
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    private func check(_ request: ChatRequest) throws(PenguinError) {
        var problems = request.problems()
        if let model = request.model {
            do {
                _ = try self.catalogue.configuration(for: model)
            } catch {
                problems.append(PenguinError.Problem(loc: ["body", "model"], msg: error.message, type: "value"))
            }
        }
        guard problems.isEmpty else {
            throw PenguinError(.invalid, "The message cannot be accepted.", problems: problems)
        }
        guard request.agentID == AgentID.default.rawValue else {
            throw PenguinError(.notFound, "There is no agent '\(request.agentID)'.")
        }
    }

    /// The start of the first message, on one line.
    static func title(from text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? text
        let trimmed = line.trimmingCharacters(in: .whitespaces)
        return trimmed.count > 60 ? String(trimmed.prefix(59)) + "…" : trimmed
    }
}

extension ChatResult {
    /// Reads a terminal event.
    package init(_ event: JobEvent, of job: JobID) throws {
        let frame = EventFrame(id: event.id, type: event.type, bytes: Array(event.bytes.readableBytesView))
        switch event.type {
        case .complete: self = .completed(try frame.data(as: ChatReply.self))
        case .cancelled: self = .cancelled(job)
        default:
            let data = try frame.data(as: EventData.Failure.self)
            self = .failed(job, JobFailure(code: data.code, message: data.message, retryable: data.retryable))
        }
    }
}
