import ArgumentParser
import Domain

/// Talks to a running Penguin.
@main
struct PenguinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "penguin",
        abstract: "Talks to a running Penguin.",
        version: PenguinVersion.current,
        subcommands: [ChatCommand.self, JobsCommand.self, QueueCommand.self]
    )
}
