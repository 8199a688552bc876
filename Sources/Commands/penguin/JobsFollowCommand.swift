import ArgumentParser

/// Shows a job's events as they happen.
struct JobsFollowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow",
        abstract: "Shows a job's events from its beginning to its end.",
        discussion: "A lost connection is made anew. The exit code is 0 when the job completes, else 1."
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The job's id.")
    var job: String

    @Flag(help: "Show the model's reasoning too.")
    var reasoning = false

    func run() async throws {
        try await CommandFailure.reporting {
            var follower = JobFollower(
                client: self.server.client,
                job: self.job,
                display: self.output.json
                    ? .lines : .text(AnswerStream(showsReasoning: self.reasoning, showsLife: true))
            )
            try await follower.run()
        }
    }
}
