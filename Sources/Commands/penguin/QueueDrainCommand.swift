import ArgumentParser
import Domain

/// Tells a worker to finish what it runs, and to end.
struct QueueDrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Lets a worker take no more jobs and end when those it runs have ended."
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The worker's id, as `penguin queue` shows it.")
    var worker: String

    func run() async throws {
        try await CommandFailure.reporting {
            let answer = try await self.server.client.post("/queue/workers/\(self.worker.percentEncoded)/drain")
            if self.output.json { return Terminal.show(line: answer) }
            Terminal.show("\(self.worker) takes no more jobs.\n")
        }
    }
}
