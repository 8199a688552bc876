import Domain
package import Engine
import Events
package import LLM
package import Queue
package import Store

/// Runs `chat` jobs: loads what the run needs, runs it, and says how the job ends.
package struct ChatHandler: JobHandler {
    /// Messages of the conversation that are looked at for a prompt; older ones stay in the history only.
    private static let historyMax = 1000

    private let database: any Database
    private let engine: Engine
    private let catalogue: ModelCatalogue
    private let timeLimit: Duration

    package init(database: any Database, engine: Engine, catalogue: ModelCatalogue, timeLimit: Duration) {
        self.database = database
        self.engine = engine
        self.catalogue = catalogue
        self.timeLimit = timeLimit
    }

    package var isStreaming: Bool { true }

    package func run(_ lease: Lease, in context: RunContext) async throws -> JobOutcome {
        let outcome = try await self.engineRun(lease, queue: context.queue, writer: context.writer, context.control)
        return try await self.jobOutcome(of: lease, outcome, queue: context.queue)
    }

    private func engineRun(
        _ lease: Lease,
        queue: JobQueue,
        writer: LogWriter,
        _ control: RunControl
    ) async throws -> RunOutcome {
        let payload = try JSON.decode(ChatPayload.self, from: lease.job.payload)
        let model = try self.model(of: payload)
        let (history, steps) = try await self.load(lease, payload)
        if lease.job.claims > 1 {
            let kept = steps.last { $0.state != .intent }?.covers ?? .start
            writer.add(EventData.Truncate(jobID: lease.id, to: kept), as: .truncate)
            queue.metrics.wasTruncated()
        } else if let turn = try Self.lastTurn(in: steps) {
            // Put back after its end: what its journal has is not asked again, and its new log has nothing of it.
            let text = EventData.Snapshot(jobID: lease.id, text: turn.text, reasoning: nil, iteration: turn.iteration)
            writer.add(text, as: .snapshot)
        }
        let limit = payload.timeLimitSeconds.map { Duration.seconds($0) } ?? self.timeLimit
        let request = RunRequest(
            systemPrompt: SystemPrompt.default,
            history: history,
            model: model,
            streaming: payload.streaming,
            includeReasoning: true,
            maxIterations: payload.maxIterations,
            timeLimit: limit,
            failures: lease.job.failures
        )
        let sink = LogEventSink(job: lease.id, writer: writer, showsReasoning: payload.includeReasoning)
        let journal = LedgerJournal(queue: queue, lease: lease)
        return await control.bound(by: limit) {
            await self.engine.run(
                request,
                after: steps,
                tools: NoTools(),
                journal: journal,
                events: sink,
                control: control
            )
        }
    }

    /// What the outcome of the run means for the job.
    private func jobOutcome(of lease: Lease, _ outcome: RunOutcome, queue: JobQueue) async throws -> JobOutcome {
        let payload = try JSON.decode(ChatPayload.self, from: lease.job.payload)
        switch outcome {
        case .released: return .released
        case .abandoned: return .abandoned
        case .putOff(let failure, let delay, let result):
            return .putOff(failure, after: delay, failures: result.failures)
        case .completed(let result):
            return .ended(
                Ending(
                    state: .completed,
                    result: try JSON.text(self.reply(to: payload, lease, result)),
                    stopReason: result.stopReason,
                    usage: try JSON.text(result.usage),
                    messages: self.answer(to: payload, lease, result)
                )
            )
        case .failed(let failure, let result):
            // What may pass and was tried as often as is allowed is kept, to be put back when it has passed.
            let state: JobState = failure.retryable ? .dead : .failed
            return .ended(try await self.unfinished(state, payload, lease, result, failure, queue))
        case .cancelled(let result):
            return .ended(try await self.unfinished(.cancelled, payload, lease, result, nil, queue))
        }
    }

    /// An end without an answer; the conversation keeps what this attempt has shown.
    private func unfinished(
        _ state: JobState,
        _ payload: ChatPayload,
        _ lease: Lease,
        _ result: RunResult,
        _ failure: JobFailure?,
        _ queue: JobQueue
    ) async throws -> Ending {
        Ending(
            state: state,
            failure: failure,
            stopReason: failure == nil ? .cancelled : result.stopReason,
            usage: try JSON.text(result.usage),
            messages: self.answer(to: payload, lease, result)
        )
    }

    /// The text of the last model turn that the journal has, and its number from 1.
    private static func lastTurn(in steps: [Step]) throws -> (text: String, iteration: Int)? {
        struct Text: Decodable { let text: String }
        let turns = steps.filter { $0.kind == .modelTurn && $0.state == .done }
        guard let result = turns.last?.result else { return nil }
        return (try JSON.decode(Text.self, from: result).text, turns.count)
    }

    private func model(of payload: ChatPayload) throws -> ModelConfiguration {
        guard let id = payload.model else { return self.catalogue.defaultModel }
        do {
            return try self.catalogue.configuration(for: id)
        } catch {
            throw JobFailure(code: error.code.rawValue, message: error.message, retryable: false)
        }
    }

    private func load(_ lease: Lease, _ payload: ChatPayload) async throws -> (history: [Message], steps: [Step]) {
        let job = lease.job
        return try await self.database.read { connection in
            let history = try Conversations(connection).messages(
                of: payload.conversationID,
                of: job.tenant,
                last: Self.historyMax
            )
            return (history, try Ledger(connection).steps(of: job.id))
        }
    }

    private func reply(to payload: ChatPayload, _ lease: Lease, _ result: RunResult) -> ChatReply {
        ChatReply(
            response: result.text,
            actionResults: result.actions,
            reasoning: payload.includeReasoning ? result.reasoning : nil,
            conversationID: payload.conversationID,
            messageID: lease.job.answerID(payload),
            jobID: lease.id,
            stopReason: result.stopReason,
            iterations: result.iterations,
            usage: result.usage,
            agentID: payload.agentID,
            model: payload.model ?? self.catalogue.defaultModel.id
        )
    }

    /// The answer as the conversation keeps it: also the part of one that was cut short, marked as such.
    private func answer(
        to payload: ChatPayload,
        _ lease: Lease,
        _ result: RunResult
    ) -> [Message] {
        guard !result.text.isEmpty else { return [] }
        var metadata: [String: JSONValue] = ["job_id": .string(lease.id.rawValue)]
        if result.stopReason != .finalAnswer {
            metadata["partial"] = .bool(true)
            metadata["stop_reason"] = .string(result.stopReason.rawValue)
        }
        return [
            Message(
                id: lease.job.answerID(payload),
                role: .assistant,
                content: result.text,
                timestamp: .now,
                agentID: payload.agentID,
                reasoning: result.reasoning.isEmpty ? nil : result.reasoning,
                metadata: metadata
            )
        ]
    }
}

extension RunControl {
    /// Runs `body` as a task that an interruption cancels, and interrupts it when `limit` is over.
    fileprivate func bound(
        by limit: Duration,
        _ body: @escaping @Sendable () async -> RunOutcome
    ) async -> RunOutcome {
        // Both are ended here: the first is awaited, the second cancelled.
        let run = Task { await body() }
        let timer = Task {
            try await Task.sleep(for: limit)
            self.interrupt(.timeLimit)
        }
        defer { timer.cancel() }
        self.onInterrupt { run.cancel() }
        return await withTaskCancellationHandler {
            await run.value
        } onCancel: {
            self.interrupt(.released)
        }
    }
}
