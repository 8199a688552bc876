import Foundation
import Queue
import TestSupport

/// Whether a long backlog costs anything: rates of drain and submit beside it, and the memory of Redis.
struct BacklogScenario: Scenario {
    static let name = "backlog"

    func run(on rig: Rig) async throws -> [Figure] {
        let sizes = rig.effort.pick(quick: [1000, 100_000], full: [1000, 100_000, 1_000_000])
        let measured = rig.effort.pick(quick: 10_000, full: 30_000)
        var figures: [Figure] = []
        var first: (drain: Double, submit: Double, memory: Double)?
        for size in sizes {
            let rates = try await self.rates(backlog: size, measured: measured)
            var drain = Figure(
                "queue.backlog.drain.\(size)",
                "drain beside \(size) jobs",
                unit: "jobs/s",
                runs: [rates.drain]
            )
            var submit = Figure(
                "queue.backlog.submit.\(size)",
                "submit beside \(size) jobs",
                unit: "jobs/s",
                runs: [rates.submit]
            )
            var memory = Figure(
                "queue.backlog.redis.\(size)",
                "Redis beside \(size) jobs",
                unit: "MiB",
                runs: [rates.memory]
            )
            if let first {
                drain.ceilings = [.init(what: "beside \(sizes[0])", value: first.drain)]
                drain.target = .atLeast(first.drain * 0.8)
                submit.ceilings = [.init(what: "beside \(sizes[0])", value: first.submit)]
                submit.target = .atLeast(first.submit * 0.8)
                memory.ceilings = [.init(what: "beside \(sizes[0])", value: first.memory)]
                memory.target = .atMost(first.memory + 2)
            } else {
                first = rates
            }
            figures += [drain, submit, memory]
        }
        return figures
    }

    /// Submits `measured` jobs beside the backlog, then drains as many of it.
    private func rates(backlog: Int, measured: Int) async throws -> (drain: Double, submit: Double, memory: Double) {
        let folder = try makeTemporaryDirectory()
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await QueueStand.with(in: folder) { stand in
            try await stand.queue.setPaused(true)
            try await stand.preload(backlog)
            let submitBegan = Moment.now
            try await stand.submit(measured, submitters: 512)
            let submit = Double(measured) / Moment.now.seconds(since: submitBegan)
            let memory = Double(try await stand.redisMemory()) / 1_048_576
            let drain = try await stand.withWorker {
                let began = Moment.now
                try await stand.queue.setPaused(false)
                try await stand.waitForEnded(atLeast: measured)
                return Double(measured) / Moment.now.seconds(since: began)
            }
            return (drain, submit, memory)
        }
    }
}
