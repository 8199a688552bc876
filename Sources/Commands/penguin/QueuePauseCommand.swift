import ArgumentParser
import Domain

/// Stops the beginning of jobs, for everybody.
struct QueuePauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Lets nothing new begin; what runs goes on, and messages are accepted."
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await CommandFailure.reporting {
            let answer = try await self.server.client.patch("/queue", ["paused": .bool(true)])
            if self.output.json { Terminal.show(line: answer) } else { Terminal.show("The queue is paused.\n") }
        }
    }
}
