import Foundation
import GRDB
import Testing

@testable import Store

/// The whole life of jobs on a virtual clock, over many seeds: whatever is killed, lost, doubled or late, every accepted
/// job ends once, lanes keep their order, and a lost lease changes nothing.
///
/// A debug build does about 130 seeds a second on each core. `PENGUIN_SIMULATION_SEEDS` sets how many there are,
/// `PENGUIN_SIMULATION_SEED` runs one and prints what happened in it.
@Suite(.timeLimit(.minutes(60)))
struct SimulationTests {
    private static let seedsUsual: UInt64 = 2000
    private static let threads: UInt64 = 2
    private static let steps = 120
    /// After so many complaints the rest is not worth the wait.
    private static let complaintsMax = 3

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
    }

    @Test
    func `every accepted job comes to its one end, whatever happens on the way`() async throws {
        if let seed = Self.number("PENGUIN_SIMULATION_SEED") {
            for complaint in try await onThread({ try Self.run([seed], printsTrace: true) }) {
                Issue.record("\(complaint)")
            }
            return
        }
        let count = Self.number("PENGUIN_SIMULATION_SEEDS") ?? Self.seedsUsual
        let complaints = try await withThrowingTaskGroup(of: [String].self) { group in
            for first in 1...Self.threads {
                group.addTask {
                    try await onThread {
                        try Self.run(Array(stride(from: first, through: count, by: Int(Self.threads))))
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        for complaint in complaints { Issue.record("\(complaint)") }
    }

    @Test
    func `a seed repeats itself exactly`() async throws {
        let traces = try await onThread { try (0..<2).map { _ in try Self.trace(of: 7) } }
        #expect(traces[0] == traces[1])
        #expect(traces[0].count > 100)
    }

    /// What was wrong with some of the seeds.
    private static func run(_ seeds: [UInt64], printsTrace: Bool = false) throws -> [String] {
        var complaints: [String] = []
        try self.withConnection { connection in
            for seed in seeds where complaints.count < Self.complaintsMax {
                let simulation = Simulation(seed: seed, connection: connection)
                do {
                    try simulation.run(steps: Self.steps)
                } catch {
                    complaints.append("seed \(seed): \(error)\n" + simulation.trace.suffix(60).joined(separator: "\n"))
                }
                if printsTrace {
                    let text = simulation.trace.joined(separator: "\n") + "\n"
                    try FileHandle.standardError.write(contentsOf: Data(text.utf8))
                }
            }
        }
        return complaints
    }

    private static func trace(of seed: UInt64) throws -> [String] {
        var trace: [String] = []
        try self.withConnection { connection in
            let simulation = Simulation(seed: seed, connection: connection)
            try simulation.run(steps: Self.steps)
            trace = simulation.trace
        }
        return trace
    }

    /// A database in memory, which no crash of ours needs to be on a disk for: `Simulation` cuts its power itself.
    private static func withConnection(_ body: (SimulationConnection) throws -> Void) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        try DatabaseQueue(configuration: configuration).inDatabase { database in
            let connection = SimulationConnection(database, clock: TestClock())
            try Migrations.run(on: connection, more: SQLiteFullText.statements, file: "memory")
            try body(connection)
        }
    }
}
