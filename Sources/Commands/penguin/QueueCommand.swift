import ArgumentParser

/// Looks at the queue, and for administrators stops and resumes it.
struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "Shows what waits, runs and has ended; pauses, resumes, drains.",
        subcommands: [
            QueueStatusCommand.self, QueuePauseCommand.self, QueueResumeCommand.self, QueueDrainCommand.self,
        ],
        defaultSubcommand: QueueStatusCommand.self
    )
}
