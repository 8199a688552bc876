import ArgumentParser
import Domain
import Foundation

/// Shows the queue's figures, once or every second.
struct QueueStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows the queue's figures; what `penguin queue` does by itself."
    )

    private static let interval = Duration.seconds(1)

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Flag(help: "Show them anew each second, until Ctrl-C.")
    var watch = false

    func run() async throws {
        let client = self.server.client
        try await CommandFailure.reporting {
            try self.show(try await client.get("/queue"))
            while self.watch {
                try await Task.sleep(for: Self.interval)
                do {
                    try self.show(try await client.get("/queue"))
                } catch let failure as CommandFailure {
                    // It may come back: somebody who watches wants to see that too.
                    failure.show()
                }
            }
        }
    }

    private func show(_ answer: Data) throws {
        if self.output.json { return Terminal.show(line: answer) }
        let text = try JSON.decode(ShownQueue.self, from: answer).report
        if self.watch { Terminal.redraw(text) } else { Terminal.show(text) }
    }
}
