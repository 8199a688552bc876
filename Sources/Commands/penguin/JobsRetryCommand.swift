import ArgumentParser
import Domain

/// Has failed and dead jobs done once more: those that are named, or all that a filter fits.
struct JobsRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Has failed and dead jobs done once more.",
        discussion: "Names jobs, or with --all every one that --state, --kind, --conversation and --agent fit."
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The jobs' ids.")
    var jobs: [String] = []

    @Flag(help: "Not these jobs, but all that fit.")
    var all = false

    @Option(help: "Only jobs in this state: failed or dead.")
    var state: String?

    @Option(help: "Only jobs of this kind.")
    var kind: String?

    @Option(help: "Only jobs of this conversation.")
    var conversation: String?

    @Option(help: "Only jobs of this agent.")
    var agent: String?

    @Option(help: "How many at most, from 1 to 1000.")
    var limit: Int?

    func validate() throws {
        let isFiltered = [self.state, self.kind, self.conversation, self.agent].contains { $0 != nil }
        if self.all != self.jobs.isEmpty { throw ValidationError("Name jobs, or say --all.") }
        if !self.all, isFiltered || self.limit != nil { throw ValidationError("Filters go with --all.") }
    }

    func run() async throws {
        let client = self.server.client
        guard self.all else {
            return try await EachJob(self.jobs).run { job in
                let answer = try await client.post("/jobs/\(job.percentEncoded)/retry")
                if self.output.json { Terminal.show(line: answer) } else { Terminal.show("\(job) is queued again\n") }
            }
        }
        try await CommandFailure.reporting {
            let answer = try await client.post("/jobs/retry", self.filter)
            if self.output.json { return Terminal.show(line: answer) }
            let retried = try JSON.decode(Retried.self, from: answer)
            let more = retried.remaining > 0 ? ", \(retried.remaining) more fit" : ""
            let jobs = retried.retried == 1 ? "1 job is" : "\(retried.retried) jobs are"
            Terminal.show("\(jobs) queued again\(more)\n")
        }
    }

    private var filter: [String: JSONValue] {
        let texts = [
            "state": self.state, "kind": self.kind, "conversation_id": self.conversation, "agent_id": self.agent,
        ]
        var filter = texts.compactMapValues { $0.map(JSONValue.string) }
        filter["limit"] = self.limit.map { .integer(Int64($0)) }
        return filter
    }

    private struct Retried: Decodable {
        let retried: Int
        let remaining: Int
    }
}
