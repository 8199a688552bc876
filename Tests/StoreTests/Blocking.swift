import Domain
import Foundation
import GRDB
import Synchronization
import TestSupport

@testable import Store

/// Gives the processor away once; for the bodies of transactions, which cannot await.
func spin() {
    sched_yield()
}

extension TestStore {
    /// Runs `body` once for each durability, all in one transaction and in order; `body` is told its number.
    ///
    /// A write in front of them holds the writer until all have been handed in.
    func inOneBatch<Value: Sendable>(
        _ durabilities: [Durability],
        _ body: @escaping @Sendable (any SQLConnection, Int) throws -> Value
    ) async throws -> [Result<Value, StoreError>] {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
        let pool = try DatabasePool(path: self.file.path, configuration: configuration)
        let committer = GroupCommitter(pool: pool) { [clock] in clock.now }
        let results = Mutex<[Int: Result<Value, StoreError>]>([:])
        let gate = DispatchSemaphore(value: 0)
        let isHeld = Mutex(false)
        let holder = GroupCommitter.Write(
            durability: .relaxed,
            perform: { _ in
                isHeld.withLock { $0 = true }
                _ = gate.wait(timeout: .now() + 10)
                return { _ in }
            },
            fail: { _ in }
        )
        committer.submit(holder)
        // Its batch is closed once it runs; what comes now is the next one.
        try await eventually("the writer is held") { isHeld.withLock { $0 } }
        for (number, durability) in durabilities.enumerated() {
            committer.submit(
                GroupCommitter.Write(
                    durability: durability,
                    perform: { connection in
                        let value = try body(connection, number)
                        return { failure in
                            results.withLock { $0[number] = failure.map { .failure($0) } ?? .success(value) }
                        }
                    },
                    fail: { failure in results.withLock { $0[number] = .failure(failure) } }
                )
            )
        }
        gate.signal()
        try await eventually("every write has its answer") {
            results.withLock { $0.count } == durabilities.count
        }
        try pool.close()
        return results.withLock { results in durabilities.indices.compactMap { results[$0] } }
    }
}
