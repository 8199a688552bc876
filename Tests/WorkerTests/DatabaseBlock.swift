import Foundation
import Store
import TestSupport

/// Holds the database's write lock, as another process could, until it is ended.
struct DatabaseBlock: Sendable {
    private let database: SQLiteDatabase
    private let gate = DispatchSemaphore(value: 0)
    private let task: Task<Void, any Error>
    private let began = ContinuousClock.now

    init(_ file: URL) async throws {
        let database = try SQLiteDatabase(file: file)
        self.database = database
        let (isHeld, held) = AsyncStream.makeStream(of: Void.self)
        // Awaited by `end`.
        self.task = Task { [gate] in
            try await database.write(.relaxed) { _ in
                held.finish()
                _ = gate.wait(timeout: .now() + 60)
            }
        }
        for await _ in isHeld {}
    }

    func hasOutlasted(_ time: Duration) -> Bool { self.began.duration(to: .now) > time }

    func end() async throws {
        self.gate.signal()
        try await self.task.value
        try self.database.close()
    }
}
