import Foundation
import GRDB
import Synchronization
import Testing

@testable import Store

/// The whole life of jobs on a virtual clock, over thousands of seeds: whatever is killed, lost, doubled or late, every
/// accepted job ends once, lanes keep their order, and a lost lease changes nothing.
///
/// `PENGUIN_SIMULATION_SEEDS` sets how many seeds, `PENGUIN_SIMULATION_SEED` runs one and prints its trace.
@Suite(.timeLimit(.minutes(60)))
struct SimulationTests {
    private static let seedsUsual = 1500
    private static let steps = 120

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
    }

    @Test
    func `every accepted job comes to its one end, whatever happens on the way`() async throws {
        let one = Self.number("PENGUIN_SIMULATION_SEED")
        let count = Self.number("PENGUIN_SIMULATION_SEEDS") ?? UInt64(Self.seedsUsual)
        let seeds = one.map { $0...$0 } ?? 1...count
        let complaints = try await onThread { try Self.run(seeds, printsTrace: one != nil) }
        for complaint in complaints { Issue.record("\(complaint)") }
    }

    /// What was wrong, up to a few seeds of it.
    private static func run(_ seeds: ClosedRange<UInt64>, printsTrace: Bool) throws -> [String] {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        let queue = try DatabaseQueue(configuration: configuration)
        var complaints: [String] = []
        try queue.inDatabase { database in
            let connection = SimulationConnection(database, clock: TestClock())
            try Migrations.run(on: connection, more: SQLiteFullText.statements, file: "memory")
            for seed in seeds where complaints.count < 3 {
                let simulation = Simulation(seed: seed, connection: connection)
                do {
                    try simulation.run(steps: Self.steps)
                } catch {
                    complaints.append(Self.complaint(seed, simulation, error))
                }
                if printsTrace { print(simulation.trace.joined(separator: "\n")) }
            }
        }
        return complaints
    }

    private static func complaint(_ seed: UInt64, _ simulation: Simulation, _ error: any Error) -> String {
        """
        seed \(seed): \(error)
        \(simulation.trace.suffix(60).joined(separator: "\n"))
        """
    }
}
