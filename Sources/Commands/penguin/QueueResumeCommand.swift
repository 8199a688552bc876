import ArgumentParser
import Domain

/// Lets jobs begin again.
struct QueueResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Lets jobs begin again after a pause."
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await CommandFailure.reporting {
            let answer = try await self.server.client.patch("/queue", ["paused": .bool(false)])
            if self.output.json { Terminal.show(line: answer) } else { Terminal.show("The queue is on.\n") }
        }
    }
}
