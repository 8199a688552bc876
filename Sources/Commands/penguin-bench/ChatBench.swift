import ArgumentParser
import Foundation

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

    @Flag(help: "Fewer and shorter runs: under a minute in all.")
    var quick = false

    @Option(help: "How often each figure is measured; the median counts (default 5, quick 2).")
    var runs: Int?

    @Option(parsing: .upToNextOption, help: "Only the measurements of these names.")
    var only: [String] = []

    @Option(help: "Where the JSON document goes; - for standard output, and then the table goes to standard error.")
    var json = ".build/bench/last.json"

    func validate() throws {
        let known = Set(Self.scenarios.map { type(of: $0).name })
        for name in self.only where !known.contains(name) {
            throw ValidationError(
                "There is no measurement '\(name)'; there are \(known.sorted().joined(separator: ", "))."
            )
        }
        if let runs, !(1...100).contains(runs) { throw ValidationError("--runs must be from 1 to 100.") }
    }

    func run() async throws {
        let effort = Effort(isQuick: self.quick, runs: self.runs ?? (self.quick ? 2 : 5))
        let chosen = Self.scenarios.filter { self.only.isEmpty || self.only.contains(type(of: $0).name) }
        let report = try await ScenarioRunner(bench: "chat", effort: effort).run(chosen)
        try report.publish(json: self.json)
        if !report.faults.isEmpty { throw ExitCode(1) }
    }
}
