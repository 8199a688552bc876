import ArgumentParser
import Domain

/// Shows one job with all that is known of it.
struct JobsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Shows a job.")

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The job's id.")
    var job: String

    func run() async throws {
        try await CommandFailure.reporting {
            let answer = try await self.server.client.get("/jobs/\(self.job.percentEncoded)")
            if self.output.json { return Terminal.show(line: answer) }
            Terminal.show(try JSON.decode(ShownJob.self, from: answer).report)
        }
    }
}

extension ShownJob {
    /// One line for each thing that is known, and the answer.
    fileprivate var report: String {
        var table = Table()
        func add(_ name: String, _ value: String?, _ colour: Terminal.Colour? = nil) {
            if let value { table.add(Table.Cell(name, .grey), Table.Cell(value, colour)) }
        }
        add("job", self.jobID)
        add("state", self.state, self.colour)
        add("kind", self.kind)
        add("priority", self.priority)
        add("conversation", self.conversationID)
        add("agent", self.agentID)
        add("parent", self.parentID)
        add("accepted", Self.text(of: self.createdAt))
        add("due", self.runAt?.description)
        add("before it", self.position.map { $0 == 1 ? "1 job" : "\($0) jobs" })
        add("began", self.startedAt.map(Self.text(of:)))
        add("ended", self.finishedAt.map(Self.text(of:)))
        add("run time", self.runTime?.short)
        add("attempts", "\(self.attempt)" + (self.lost > 0 ? ", workers lost: \(self.lost)" : ""))
        add("iteration", self.progress.map { "\($0.iteration) of \($0.maxIterations)" })
        add("stop reason", self.stopReason)
        add("error", self.error.map { "\($0.code): \($0.message)" }, .red)
        add("tokens", self.tokens)
        for child in self.children ?? [] { add("child", "\(child.jobID) \(child.state)") }
        return table.text + (self.result?["response"]?.string.map { "\n\($0)\n" } ?? "")
    }

    private var tokens: String? {
        guard case .integer(let prompt)? = self.usage?["prompt_tokens"],
            case .integer(let completion)? = self.usage?["completion_tokens"]
        else { return nil }
        return "\(prompt) in, \(completion) out"
    }

    private static func text(of time: Timestamp) -> String { "\(time) (\(time.age.short) ago)" }
}
