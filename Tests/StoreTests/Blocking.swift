import Foundation
import Store
import Synchronization
import Testing
import TestSupport

/// Gives the processor away once; for the bodies of transactions, which cannot await.
func spin() {
    sched_yield()
}

extension TestStore {
    /// Runs `body` once for each durability, all in one transaction; `body` is told its number.
    ///
    /// A write before them holds the writer until all have been handed in.
    func inOneBatch<Value: Sendable>(
        _ durabilities: [Durability], _ body: @escaping @Sendable (any SQLConnection, Int) throws -> Value
    ) async throws -> [Result<Value, StoreError>] {
        let isHeld = Mutex(false)
        let handedIn = Mutex(0)
        let count = durabilities.count
        async let holder: Void = self.database.write(.relaxed) { _ in
            isHeld.withLock { $0 = true }
            while handedIn.withLock({ $0 }) < count { spin() }
        }
        try await eventually("the writer is held") { isHeld.withLock { $0 } }
        let results = await withTaskGroup(of: (Int, Result<Value, StoreError>).self) { group in
            for (number, durability) in durabilities.enumerated() {
                // Handed in one after the other, so that their order in the batch is known.
                let handOver = HandOver()
                group.addTask {
                    do throws(StoreError) {
                        handOver.done()
                        return (number, .success(try await self.database.write(durability) { try body($0, number) }))
                    } catch {
                        return (number, .failure(error))
                    }
                }
                await handOver.wait()
            }
            handedIn.withLock { $0 = count }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        try await holder
        return (0..<count).compactMap { results[$0] }
    }
}
