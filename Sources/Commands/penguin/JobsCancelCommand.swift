import ArgumentParser
import Domain

/// Asks for the end of jobs.
struct JobsCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Ends jobs, and their children.")

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The jobs' ids.")
    var jobs: [String]

    func run() async throws {
        let client = self.server.client
        try await EachJob(self.jobs).run { job in
            let answer = try await client.post("/jobs/\(job.percentEncoded)/cancel")
            if self.output.json { return Terminal.show(line: answer) }
            let state = try JSON.decode(ShownJob.self, from: answer).state
            Terminal.show(state == "running" ? "\(job) is about to end\n" : "\(job) is \(state)\n")
        }
    }
}
