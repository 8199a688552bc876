import ArgumentParser
import Foundation
import TestSupport

/// Puts load and faults on real processes of Penguin at once, and checks every guarantee afterwards.
@main
struct PenguinChaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "penguin-chaos",
        abstract: "Kills, stops, cuts and floods a whole Penguin under load, and checks what it promises.",
        discussion: """
            The load and the faults come from the seed: the same options are the same run, as far as the machine's own
            timing allows. The exit code is 1 when a guarantee was broken or a process ended that should not.
            """
    )

    @Option(help: "Where all choices come from; a random one unless given.")
    var seed: UInt64?

    @Option(help: "How long the load goes on.")
    var minutes: Double?

    @Option(help: "How many messages are sent: 200 for each minute unless given; without --minutes they take as long.")
    var jobs: Int?

    @Option(help: "Worker processes.")
    var workers = 3

    @Option(help: "Conversations.")
    var conversations = 200

    @Option(help: "Seconds from one fault to the next, on the average.")
    var faultEvery = 4.0

    @Option(parsing: .upToNextOption, help: "Only these kinds of faults: \(Self.kinds).")
    var only: [FaultKind] = []

    @Flag(help: "No faults at all.")
    var calm = false

    @Flag(help: "Only show the plan.")
    var plan = false

    @Flag(help: "Keep the folder with database and logs; it is kept anyway when something was broken.")
    var keep = false

    @Option(help: "Where the JSON document goes; - for standard output, and then the table goes to standard error.")
    var json: String?

    @Option(help: "The folder with penguin-web and penguin-worker; the one of this program unless given.")
    var programs: String?

    private static let kinds = FaultKind.allCases.map(\.rawValue).joined(separator: ", ")
    private static let jobsPerMinute = 200.0

    func validate() throws {
        guard (1...32).contains(self.workers) else { throw ValidationError("--workers must be from 1 to 32.") }
        guard self.faultEvery >= 0.1 else { throw ValidationError("--fault-every must be at least 0.1.") }
        guard self.conversations > 0 else { throw ValidationError("--conversations must be at least 1.") }
        guard self.minutes ?? 1 > 0, self.jobs ?? 1 > 0 else { throw ValidationError("There must be something to do.") }
    }

    func run() async throws {
        let plan = ChaosPlan(self.shape)
        if self.plan {
            print(plan.description)
            return
        }
        Log.say(plan.description)
        let home = try makeTemporaryDirectory()
        let programs = self.programs.map { URL(fileURLWithPath: $0, isDirectory: true) }
        let report: ChaosReport
        do {
            report = try await ChaosRun(plan: plan, programs: programs, home: home).run()
        } catch {
            Log.say("The run could not be made: \(error); see \(home.path)")
            throw ExitCode(2)
        }
        try self.publish(report)
        let isBroken = report.violations > 0 || !report.surprises.isEmpty
        if self.keep || isBroken {
            Log.say("database and logs are in \(home.path)")
        } else {
            try FileManager.default.removeItem(at: home)
        }
        if isBroken { throw ExitCode(1) }
    }

    private var shape: ChaosShape {
        let minutes = self.minutes ?? self.jobs.map { Double($0) / Self.jobsPerMinute } ?? 10
        var shape = ChaosShape()
        shape.seed = self.seed ?? UInt64.random(in: 1...999_999)
        shape.jobs = self.jobs ?? max(1, Int(minutes * Self.jobsPerMinute))
        shape.milliseconds = Int(minutes * 60_000)
        shape.workers = self.workers
        shape.conversations = self.conversations
        shape.faultEvery = Int(self.faultEvery * 1000)
        if !self.only.isEmpty { shape.kinds = self.only.map(\.rawValue) }
        if self.calm { shape.kinds = [] }
        return shape
    }

    private func publish(_ report: ChaosReport) throws {
        guard self.json != "-" else {
            try FileHandle.standardError.write(contentsOf: Data(report.table.utf8))
            return try FileHandle.standardOutput.write(contentsOf: report.document())
        }
        if let json { try report.document().write(to: URL(fileURLWithPath: json)) }
        try FileHandle.standardOutput.write(contentsOf: Data(report.table.utf8))
    }
}
