import ArgumentParser

/// Chats, jobs, requests, memory and start of one `penguin-web` with its embedded worker and Redis.
struct ChatBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Chats, jobs, requests, memory and start of one penguin-web (the default).",
        discussion: """
            A readable table goes to the standard output, progress to the standard error.
            The exit code is 1 when an answer was wrong or a measurement failed; a missed target is only shown.
            Measurements: \(Self.scenarios.map { type(of: $0).name }.joined(separator: ", ")).
            """
    )

    /// All of them, in the order in which they run; those that want a fresh machine come first.
    static let scenarios: [any Scenario] = [
        StartScenario(), RedisScenario(), StreamScenario(), PaceScenario(), FirstFrameScenario(), PostScenario(),
        MemoryScenario(), JobsScenario(), GetScenario(),
    ]

    @OptionGroup var options: BenchOptions

    func validate() throws {
        try self.options.check(against: Self.scenarios)
    }

    func run() async throws {
        try await self.options.run(Self.scenarios, bench: "chat")
    }
}
