import Domain
import Engine
import Events

/// A run's events on their way into the job's log.
struct LogEventSink: EventSink {
    /// How long a step waits for Redis before the run goes on without knowing.
    private static let flushMax = Duration.seconds(5)

    let job: JobID
    let writer: LogWriter
    /// Whether the caller wants to see reasoning.
    let showsReasoning: Bool

    func iteration(_ number: Int, of max: Int) async {
        self.writer.add(
            EventData.Iteration(jobID: self.job, iteration: number, maxIterations: max),
            as: .progress
        )
    }

    func text(_ text: String) async {
        await self.writer.add(text, as: .token)
    }

    func reasoning(_ text: String) async {
        if self.showsReasoning { await self.writer.add(text, as: .reasoning) }
    }

    func truncateIteration() async {
        self.writer.truncateIteration()
    }

    func actionBegins(_ call: ToolCall) async {
        self.writer.add(
            EventData.Action(
                jobID: self.job,
                action: call.name,
                result: call.arguments,
                status: "running",
                toolCallID: call.id,
                phase: "start"
            ),
            as: .action
        )
    }

    func actionEnds(_ result: ActionResult) async {
        self.writer.add(
            EventData.Action(
                jobID: self.job,
                action: result.action,
                result: result.result,
                status: result.status.rawValue,
                toolCallID: result.toolCallID,
                phase: "end"
            ),
            as: .action
        )
    }

    func flush() async -> EventID {
        await self.writer.flush(within: Self.flushMax)
    }
}
