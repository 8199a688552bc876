import Domain
import Foundation
import Store
import Synchronization
import TestSupport

/// A clock that stands still until it is told to move, in either direction.
final class TestClock: Sendable {
    private let time: Mutex<Timestamp>

    init(_ time: Timestamp = Timestamp(milliseconds: 1_700_000_000_000)) {
        self.time = Mutex(time)
    }

    var now: Timestamp { self.time.withLock { $0 } }

    func advance(by duration: Duration) { self.time.withLock { $0 = $0 + duration } }

    func set(_ time: Timestamp) { self.time.withLock { $0 = time } }
}

/// A database in a file of its own, on a clock of its own.
struct TestStore: Sendable {
    let database: SQLiteDatabase
    let clock: TestClock
    let file: URL

    init(file: URL, clock: TestClock = TestClock()) throws {
        self.file = file
        self.clock = clock
        self.database = try SQLiteDatabase(file: file) { clock.now }
    }

    @discardableResult
    func ledger<Value: Sendable>(
        _ body: @escaping @Sendable (Ledger) throws -> Value
    ) async throws(StoreError) -> Value {
        try await self.database.write(.relaxed) { try body(Ledger($0)) }
    }

    @discardableResult
    func workers<Value: Sendable>(
        _ body: @escaping @Sendable (Workers) throws -> Value
    ) async throws(StoreError) -> Value {
        try await self.database.write(.relaxed) { try body(Workers($0)) }
    }

    @discardableResult
    func conversations<Value: Sendable>(
        _ body: @escaping @Sendable (Conversations) throws -> Value
    ) async throws(StoreError) -> Value {
        try await self.database.write(.relaxed) { try body(Conversations($0)) }
    }

    func execute(_ sql: String, _ arguments: [SQLValue] = []) async throws(StoreError) {
        try await self.database.write(.relaxed) { _ = try $0.execute(sql, arguments) }
    }

    func texts(_ sql: String, _ arguments: [SQLValue] = []) async throws(StoreError) -> [String] {
        try await self.database.read { connection in
            try connection.rows(sql, arguments) { $0.text(0) ?? "NULL" }
        }
    }
}

/// Gives `body` a fresh store, and removes its folder afterwards.
func withTestStore<Result>(_ body: (TestStore) async throws -> Result) async throws -> Result {
    try await withTemporaryDirectory { folder in
        let store = try TestStore(file: folder.appendingPathComponent("test.db"))
        let result: Result
        do {
            result = try await body(store)
        } catch {
            // The body's error is the one to see.
            try? store.database.close()
            throw error
        }
        try store.database.close()
        return result
    }
}
