import Domain
import Foundation
import Store
import TestSupport

/// How many jobs are accepted per second when nobody runs them; each is on disk before its submitter goes on.
struct SubmitScenario: Scenario {
    static let name = "submit"

    func run(on rig: Rig) async throws -> [Figure] {
        var figures: [Figure] = []
        for (submitters, quick, full) in [(1, 500, 2000), (64, 5000, 20_000), (512, 20_000, 50_000)] {
            let count = rig.effort.pick(quick: quick, full: full)
            var rates: [Double] = []
            var ceilings: [Double] = []
            for _ in 0..<min(rig.effort.runs, 3) {
                rates.append(try await self.rate(count, submitters) { try await $0.submit() })
                ceilings.append(try await self.rate(count, submitters) { try await $0.insertBare() })
            }
            var figure = Figure(
                "queue.submit.\(submitters)",
                "submit, \(submitters) at once",
                unit: "jobs/s",
                runs: rates
            )
            figure.ceilings = [.init(what: "bare synced inserts", value: Samples(ceilings).median)]
            figures.append(figure)
        }
        return figures
    }

    private func rate(
        _ count: Int,
        _ submitters: Int,
        _ submit: @escaping @Sendable (QueueStand) async throws -> Void
    ) async throws -> Double {
        let folder = try makeTemporaryDirectory()
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await QueueStand.with(in: folder) { stand in
            try await stand.makeBareTable()
            let began = Moment.now
            try await Crowd.run(count, callers: submitters) { try await submit(stand) }
            return Double(count) / Moment.now.seconds(since: began)
        }
    }
}

extension QueueStand {
    fileprivate func makeBareTable() async throws {
        try await self.database.write(.durable) { connection in
            _ = try connection.execute("CREATE TABLE bare (id TEXT PRIMARY KEY, payload TEXT NOT NULL)", [])
        }
    }

    /// What any durable queue in this database must at least do: one synced insert, in a group commit.
    fileprivate func insertBare() async throws {
        let id = JobID()
        try await self.database.write(.durable) { connection in
            _ = try connection.execute("INSERT INTO bare (id, payload) VALUES ($1, $2)", [.text(id.rawValue), "{}"])
        }
    }
}

/// Callers that each do one thing after the other.
enum Crowd {
    /// Calls `body` so often in all, from so many callers at once.
    static func run(_ count: Int, callers: Int, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let each = count / callers
        let rest = count % callers
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<callers {
                group.addTask { for _ in 0..<(each + (caller < rest ? 1 : 0)) { try await body() } }
            }
            try await group.waitForAll()
        }
    }
}
