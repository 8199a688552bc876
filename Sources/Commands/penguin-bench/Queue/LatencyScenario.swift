import Domain
import Events
import Foundation
import Queue
import Store
import Synchronization
import TestSupport
import Worker

/// How long one job takes when there is no other: to its claim, and to its result at whoever follows it.
struct LatencyScenario: Scenario {
    static let name = "latency"

    func run(on rig: Rig) async throws -> [Figure] {
        let count = rig.effort.pick(quick: 300, full: 2000)
        var figures = try await self.figures("in_process", "one process", count) { stand, handler, body in
            try await stand.withWorker(handler) { try await body() }
        }
        figures[0].target = .atMost(4)
        return figures
    }

    private func figures(
        _ name: String,
        _ title: String,
        _ count: Int,
        _ around: (QueueStand, ClockingHandler, () async throws -> Void) async throws -> Void
    ) async throws -> [Figure] {
        let folder = try makeTemporaryDirectory()
        defer { try? FileManager.default.removeItem(at: folder) }
        let handler = ClockingHandler()
        let results = Mutex<[Double]>([])
        let claims = Mutex<[Double]>([])
        try await QueueStand.with(in: folder) { stand in
            try await around(stand, handler) {
                for _ in 0..<count {
                    let began = Moment.now
                    let id = try await stand.submitAndFollow()
                    let seconds = Moment.now.milliseconds(since: began)
                    results.withLock { $0.append(seconds) }
                    if let claimed = handler.beginning(of: id) {
                        claims.withLock { $0.append(claimed.milliseconds(since: began)) }
                    }
                }
            }
        }
        let result = Samples(results.withLock { $0 })
        let claim = Samples(claims.withLock { $0 })
        var p99 = Figure("queue.claim.\(name).p99", "submit to claim, p99", unit: "ms", runs: [claim.percentile(99)])
        p99.target = .atMost(10)
        return [
            Figure("queue.latency.\(name).p50", "submit to result, \(title), p50", unit: "ms", runs: [result.median]),
            Figure(
                "queue.latency.\(name).p99",
                "submit to result, \(title), p99",
                unit: "ms",
                runs: [result.percentile(99)]
            ),
            Figure("queue.claim.\(name).p50", "submit to claim, p50", unit: "ms", runs: [claim.median]), p99,
        ]
    }
}

/// Does nothing, and notes when it was asked to.
final class ClockingHandler: JobHandler {
    private let beginnings = Mutex<[JobID: Moment]>([:])

    var isStreaming: Bool { false }

    func run(_ lease: Lease, in context: RunContext) async throws -> JobOutcome {
        let now = Moment.now
        self.beginnings.withLock { $0[lease.id] = now }
        return .ended(Ending(state: .completed, result: "{}"))
    }

    func beginning(of job: JobID) -> Moment? { self.beginnings.withLock { $0[job] } }
}
