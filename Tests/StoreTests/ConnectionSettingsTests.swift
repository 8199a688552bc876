import Domain
import Store
import Synchronization
import Testing
import TestSupport

/// What every connection of the pool must have, the writer and each reader.
@Suite(.timeLimit(.minutes(1)))
struct ConnectionSettingsTests {
    private static let pragmas = ["journal_mode", "foreign_keys", "busy_timeout", "synchronous"]

    private static func settings(_ connection: any SQLConnection) throws -> [String] {
        try self.pragmas.map { pragma in
            "\(pragma)=" + (try connection.row("PRAGMA \(pragma)", []) { $0.text(0) ?? "" } ?? "")
        }
    }

    @Test
    func `a relaxed batch is not synced, a durable one is, and each goes back to the other`() async throws {
        try await withTestStore { store in
            let common = ["journal_mode=wal", "foreign_keys=1", "busy_timeout=5000"]
            for (durability, synchronous) in [
                (Durability.relaxed, "1"), (.durable, "2"), (.durable, "2"), (.relaxed, "1"), (.durable, "2"),
            ] {
                let settings = try await store.database.write(durability) { try Self.settings($0) }
                #expect(settings == common + ["synchronous=\(synchronous)"])
            }
        }
    }

    @Test
    func `one durable write in a batch makes the whole batch synced`() async throws {
        try await withTestStore { store in
            let levels = try await store.inOneBatch([.relaxed, .durable, .relaxed]) { connection, _ in
                try connection.row("PRAGMA synchronous", []) { $0.text(0) ?? "" } ?? ""
            }
            #expect(try levels.map { try $0.get() } == ["2", "2", "2"])
        }
    }

    @Test
    func `every reader has the settings and cannot write`() async throws {
        try await withTestStore { store in
            // All readers at once, so that each connection is seen.
            let arrived = Counter()
            @Sendable func look() async throws -> [String] {
                try await store.database.read { connection in
                    arrived.add()
                    while arrived.value < 4 { spin() }
                    #expect(throws: (any Error).self) { try connection.execute("DELETE FROM jobs", []) }
                    return try Self.settings(connection)
                }
            }
            async let first = look()
            async let second = look()
            async let third = look()
            async let fourth = look()
            for one in try await [first, second, third, fourth] {
                #expect(one == ["journal_mode=wal", "foreign_keys=1", "busy_timeout=5000", "synchronous=1"])
            }
        }
    }

    @Test
    func `a read sees one snapshot while others write`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let hasRead = Mutex(false)
            let hasWritten = Mutex(false)
            async let counts = store.database.read { connection in
                let before = try connection.row("SELECT COUNT(*) FROM jobs", []) { $0.integer(0) }
                hasRead.withLock { $0 = true }
                while !hasWritten.withLock({ $0 }) { spin() }
                let after = try connection.row("SELECT COUNT(*) FROM jobs", []) { $0.integer(0) }
                return [before, after]
            }
            try await eventually("the reader has begun") { hasRead.withLock { $0 } }
            try await store.submit("j2")
            hasWritten.withLock { $0 = true }
            let seen = try await counts
            #expect(seen == [1, 1])
            #expect(try await store.jobs().count == 2)
        }
    }

    @Test
    func `a writer waits for another process's transaction instead of failing`() async throws {
        try await withTestStore { store in
            let other = try SQLiteDatabase(file: store.file) { store.clock.now }
            let holds = Mutex(false)
            let mayEnd = Mutex(false)
            async let first: Void = other.write(.durable) { connection in
                try connection.execute("UPDATE schema_version SET version = version", [])
                holds.withLock { $0 = true }
                while !mayEnd.withLock({ $0 }) { spin() }
            }
            try await eventually("the other holds the lock") { holds.withLock { $0 } }
            async let second = store.submit("j1")
            // The second is certainly waiting once its own read is through.
            _ = try await store.jobs()
            mayEnd.withLock { $0 = true }
            try await first
            let state = try await second
            #expect(state == .queued)
            try other.close()
        }
    }

    @Test
    func `a lock that is held beyond the busy timeout is reported as busy, and later writes work`() async throws {
        try await withTestStore { store in
            let raw = try await onThread { try RawSQLite(file: store.file) }
            try await onThread { try raw.execute("BEGIN IMMEDIATE") }
            let error = await #expect(throws: StoreError.self) { try await store.submit("j1") }
            #expect(error?.code == .busy)
            #expect(error?.isTransient == true)
            try await onThread { try raw.execute("ROLLBACK") }
            #expect(try await store.submit("j1") == .queued)
        }
    }

    @Test
    func `a closed database fails as unavailable and does not hang`() async throws {
        try await withTestStore { store in
            try store.database.close()
            let write = await #expect(throws: StoreError.self) { try await store.submit("j1") }
            #expect(write?.code == .unavailable)
            let read = await #expect(throws: StoreError.self) { try await store.jobs() }
            #expect(read?.code == .unavailable)
        }
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { self.count.withLock { $0 } }

    func add() { self.count.withLock { $0 += 1 } }
}
