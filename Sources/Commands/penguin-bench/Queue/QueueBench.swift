import ArgumentParser

/// The queue alone: jobs that do nothing, so that only the ledger, the streams and the logs work.
struct QueueBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "The queue with jobs that do nothing: rates, latency, backlogs, recovery.",
        discussion: """
            Every job is durable: on disk (synchronous=FULL, group commit) before its submitter is answered.
            Measurements: \(Self.scenarios.map { type(of: $0).name }.joined(separator: ", ")).
            """
    )

    /// All of them, in the order in which they run.
    static let scenarios: [any Scenario] = [
        CycleScenario(), SeparateScenario(), LatencyScenario(), SubmitScenario(), DrainScenario(), BacklogScenario(),
        RecoveryScenario(),
    ]

    @OptionGroup var options: BenchOptions

    func validate() throws {
        try self.options.check(against: Self.scenarios)
    }

    func run() async throws {
        try await self.options.run(Self.scenarios, bench: "queue")
    }
}
