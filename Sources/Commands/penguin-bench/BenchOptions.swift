import ArgumentParser

/// What every set of measurements is asked in the same way.
struct BenchOptions: ParsableArguments {
    @Flag(help: "Fewer and shorter runs: under a minute in all.")
    var quick = false

    @Option(help: "How often each figure is measured; the median counts (default 5, quick 2).")
    var runs: Int?

    @Option(parsing: .upToNextOption, help: "Only the measurements of these names.")
    var only: [String] = []

    @Option(help: "Where the JSON document goes; - for standard output, and then the table goes to standard error.")
    var json = ".build/bench/last.json"

    /// Throws for what cannot be meant.
    func check(against scenarios: [any Scenario]) throws {
        let known = Set(scenarios.map { type(of: $0).name })
        if let name = self.only.first(where: { !known.contains($0) }) {
            let names = known.sorted().joined(separator: ", ")
            throw ValidationError("There is no measurement '\(name)'; there are \(names).")
        }
        if let runs, !(1...100).contains(runs) { throw ValidationError("--runs must be from 1 to 100.") }
    }

    /// Runs the scenarios and publishes the report; exit code 1 when an answer was wrong or a measurement failed.
    func run(_ scenarios: [any Scenario], bench: String) async throws {
        let effort = Effort(isQuick: self.quick, runs: self.runs ?? (self.quick ? 2 : 5))
        let chosen = scenarios.filter { self.only.isEmpty || self.only.contains(type(of: $0).name) }
        let report = try await ScenarioRunner(bench: bench, effort: effort).run(chosen)
        try report.publish(json: self.json)
        if !report.faults.isEmpty { throw ExitCode(1) }
    }
}
