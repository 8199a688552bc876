import Foundation
import Queue
import TestSupport

/// How fast workers empty a backlog of `noop` jobs: one in this process, and 1, 2 and 4 processes.
struct DrainScenario: Scenario {
    static let name = "drain"

    func run(on rig: Rig) async throws -> [Figure] {
        let count = rig.effort.pick(quick: 10_000, full: 50_000)
        let ceiling = try await StreamCeiling.measure(count: count)
        var figures = [
            try await self.figure("in this process", "in_process", count, on: rig) { stand, body in
                try await stand.withWorker { try await body() }
            }
        ]
        for workers in [1, 2, 4] {
            figures.append(
                try await self.figure("\(workers) worker processes", "\(workers)", count, on: rig) { stand, body in
                    try await stand.withWorkers(workers) { _ in try await body() }
                }
            )
        }
        for index in figures.indices { figures[index].ceilings = [ceiling] }
        return figures
    }

    private func figure(
        _ title: String,
        _ name: String,
        _ count: Int,
        on rig: Rig,
        _ around: (QueueStand, () async throws -> Double) async throws -> Double
    ) async throws -> Figure {
        var rates: [Double] = []
        for _ in 0..<min(rig.effort.runs, 3) {
            let folder = try makeTemporaryDirectory()
            defer { try? FileManager.default.removeItem(at: folder) }
            let rate = try await QueueStand.with(in: folder) { stand in
                try await stand.queue.setPaused(true)
                try await stand.preload(count)
                return try await around(stand) {
                    let began = Moment.now
                    try await stand.queue.setPaused(false)
                    try await stand.waitForOpen(atMost: 0)
                    return Double(count) / Moment.now.seconds(since: began)
                }
            }
            rates.append(rate)
        }
        return Figure("queue.drain.\(name)", "drain \(count), \(title)", unit: "jobs/s", runs: rates)
    }
}
