import ArgumentParser

/// Looks at jobs and decides about them.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "Lists, shows, follows, cancels and retries jobs.",
        subcommands: [
            JobsListCommand.self, JobsShowCommand.self, JobsFollowCommand.self, JobsCancelCommand.self,
            JobsRetryCommand.self,
        ]
    )
}
