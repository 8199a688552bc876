import Foundation
import TestSupport

/// Submit, run and finish of `noop` jobs in one process, every one durable.
struct CycleScenario: Scenario {
    static let name = "cycle"

    func run(on rig: Rig) async throws -> [Figure] {
        let count = rig.effort.pick(quick: 20_000, full: 100_000)
        let rates = try await JobCycle.rates(of: count, on: rig) { stand, body in
            try await stand.withWorker { try await body() }
        }
        var figure = Figure("queue.cycle", "\(count) jobs, in one process", unit: "jobs/s", runs: rates)
        figure.target = .atLeast(12_000)
        return [figure]
    }
}

/// The same through a separate `penguin-worker`: submitted here, run there.
struct SeparateScenario: Scenario {
    static let name = "separate"

    func run(on rig: Rig) async throws -> [Figure] {
        let count = rig.effort.pick(quick: 20_000, full: 100_000)
        let rates = try await JobCycle.rates(of: count, on: rig) { stand, body in
            try await stand.withWorkers(1) { _ in try await body() }
        }
        var figure = Figure("queue.separate", "\(count) jobs, one worker process", unit: "jobs/s", runs: rates)
        figure.target = .atLeast(6000)
        return [figure]
    }
}

/// A load of `noop` jobs from their submission to their end.
enum JobCycle {
    /// Callers that submit one job after the other.
    private static let submitters = 512
    private static let warmUp = 2000

    /// Jobs per second, from the first submit to the last finish; `around` provides the workers.
    static func rates(
        of count: Int,
        on rig: Rig,
        _ around: (QueueStand, () async throws -> Double) async throws -> Double
    ) async throws -> [Double] {
        var rates: [Double] = []
        for _ in 0..<min(rig.effort.runs, 3) {
            let folder = try makeTemporaryDirectory()
            defer { try? FileManager.default.removeItem(at: folder) }
            let rate = try await QueueStand.with(in: folder) { stand in
                try await around(stand) { try await self.rate(of: count, on: stand) }
            }
            rates.append(rate)
        }
        return rates
    }

    private static func rate(of count: Int, on stand: QueueStand) async throws -> Double {
        try await stand.submit(self.warmUp, submitters: self.submitters)
        try await stand.waitForOpen(atMost: 0)
        let began = Moment.now
        try await stand.submit(count, submitters: self.submitters)
        try await stand.waitForOpen(atMost: 0)
        return Double(count) / Moment.now.seconds(since: began)
    }
}
