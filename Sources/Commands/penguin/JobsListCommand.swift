import ArgumentParser
import Domain

/// Lists jobs, newest first.
struct JobsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists jobs, newest first.")

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "Only jobs in this state; may be given several times.")
    var state: [String] = []

    @Option(help: "Only jobs of this kind.")
    var kind: String?

    @Option(help: "Only jobs of this conversation.")
    var conversation: String?

    @Option(help: "Only jobs of this agent.")
    var agent: String?

    @Option(help: "Only the children of this job.")
    var parent: String?

    @Option(help: "How many, from 1 to 1000.")
    var limit = 20

    @Option(help: "Go on behind this job.")
    var cursor: String?

    func run() async throws {
        try await CommandFailure.reporting {
            let answer = try await self.server.client.get("/jobs", self.query)
            if self.output.json { return Terminal.show(line: answer) }
            let page = try JSON.decode(Page.self, from: answer)
            Terminal.show(page.text)
        }
    }

    private var query: [(name: String, value: String)] {
        let filters = [
            ("kind", self.kind), ("conversation_id", self.conversation), ("agent_id", self.agent),
            ("parent_id", self.parent), ("limit", String(self.limit)), ("cursor", self.cursor),
        ]
        return self.state.map { ("state", $0) } + filters.compactMap { name, value in value.map { (name, $0) } }
    }

    private struct Page: Decodable {
        let jobs: [ShownJob]
        let total: Int
        let nextCursor: String?

        enum CodingKeys: String, CodingKey {
            case jobs, total
            case nextCursor = "next_cursor"
        }

        var text: String {
            guard !self.jobs.isEmpty else { return "No jobs.\n" }
            var table = Table(["JOB", "STATE", "KIND", "PRIORITY", "AGE", "RUN", "CONVERSATION"])
            for job in self.jobs {
                table.add(
                    Table.Cell(job.jobID),
                    Table.Cell(job.state, job.colour),
                    Table.Cell(job.kind),
                    Table.Cell(job.priority),
                    Table.Cell(job.createdAt.age.short),
                    Table.Cell(job.runTime?.short ?? "-"),
                    Table.Cell(job.conversationID ?? "-")
                )
            }
            let more = self.nextCursor.map { "; more with --cursor \($0)" } ?? ""
            return table.text + Terminal.painted("\(self.jobs.count) of \(self.total)\(more)", .grey) + "\n"
        }
    }
}
