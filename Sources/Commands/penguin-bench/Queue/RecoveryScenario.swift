import Domain
import Foundation
import Store
import TestSupport

/// How long the jobs of a killed worker wait for the next one, with the default lease.
struct RecoveryScenario: Scenario {
    static let name = "recovery"
    private static let jobs = 20
    private static let leaseSeconds = 20.0

    func run(on rig: Rig) async throws -> [Figure] {
        let provider = try await rig.provider()
        let folder = try makeTemporaryDirectory()
        defer { try? FileManager.default.removeItem(at: folder) }
        let waits = try await QueueStand.with(in: folder) { stand in
            try await stand.withWorkers(1, model: provider.port) { workers in
                for index in 0..<Self.jobs { try await stand.submitChat("[[hang]] \(index)") }
                try await stand.waitForRunning(Self.jobs)
                let survivor = try await stand.launchWorker(model: provider.port)
                try await stand.waitForWorkers(2)
                let killed = Timestamp.now
                try await workers[0].kill()
                try await stand.waitForRunning(Self.jobs, claims: 2, within: .seconds(60))
                let waits = try await stand.startTimes().map { Double(($0 - killed).milliseconds) / 1000 }
                try await survivor.kill()
                return waits
            }
        }
        var figure = Figure(
            "queue.recovery",
            "claimed again after kill -9, slowest of \(Self.jobs)",
            unit: "s",
            runs: [waits.max() ?? .infinity]
        )
        figure.ceilings = [.init(what: "lease", value: Self.leaseSeconds)]
        figure.target = .atMost(Self.leaseSeconds + 5)
        return [figure]
    }
}
