import Domain
import Foundation
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct MigrationsTests {
    private let schema = "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master ORDER BY 1"

    @Test
    func `a fresh file gets the schema and its version`() async throws {
        try await withTestStore { store in
            #expect(try await store.texts("SELECT version FROM schema_version") == ["1"])
            let tables = try await store.texts("SELECT name FROM sqlite_master WHERE type = 'table'")
            #expect(Set(tables).isSuperset(of: ["jobs", "steps", "workers", "conversations", "messages"]))
            #expect(try await store.texts("PRAGMA integrity_check") == ["ok"])
        }
    }

    @Test
    func `a second start changes nothing and keeps the data`() async throws {
        try await withTemporaryDirectory { folder in
            let file = folder.appendingPathComponent("test.db")
            let first = try TestStore(file: file)
            try await first.submit("j1")
            let before = try await first.texts(self.schema)
            try first.database.close()
            let second = try TestStore(file: file)
            #expect(try await second.texts(self.schema) == before)
            #expect(try await second.texts("SELECT version FROM schema_version") == ["1"])
            #expect(try await second.jobs() == ["j1 queued head 0/0/0"])
            try second.database.close()
        }
    }

    @Test(arguments: 0..<5)
    func `processes that start at once on one new file all succeed`(round: Int) async throws {
        try await withTemporaryDirectory { folder in
            let file = folder.appendingPathComponent("test.db")
            let stores = try await withThrowingTaskGroup(of: TestStore.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        // On a thread of its own: opening waits for locks, which the tasks' few threads must not.
                        try await onThread { try TestStore(file: file) }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for (number, store) in stores.enumerated() { try await store.submit(JobID(rawValue: "j\(number)")) }
            for store in stores {
                #expect(try await store.texts("SELECT version FROM schema_version") == ["1"])
                #expect(try await store.jobs().count == 4)
                try store.database.close()
            }
        }
    }

    @Test
    func `a newer schema is refused in words that say what to do, and left alone`() async throws {
        try await withTemporaryDirectory { folder in
            let file = folder.appendingPathComponent("test.db")
            let store = try TestStore(file: file)
            try await store.execute("UPDATE schema_version SET version = 7")
            try store.database.close()
            let error = try #require(throws: StoreError.self) { try TestStore(file: file) }
            #expect(error.code == .schemaTooNew)
            #expect(!error.isTransient)
            for part in [file.path, "version 7", "knows 1", "newer Penguin", "PENGUIN_DATABASE"] {
                #expect(error.message.contains(part), "\(part) in \(error.message)")
            }
            // It is refused again: the refusal did not touch the version.
            #expect(throws: StoreError.self) { try TestStore(file: file) }
        }
    }

    @Test
    func `a migration that fails leaves the file as it was`() async throws {
        try await withTemporaryDirectory { folder in
            let file = folder.appendingPathComponent("test.db")
            let store = try TestStore(file: file)
            // A table of ours stands in the way of the first step.
            try await store.execute("UPDATE schema_version SET version = 0")
            let before = try await store.texts(self.schema)
            try store.database.close()
            let error = try #require(throws: StoreError.self) { try TestStore(file: file) }
            #expect(error.message.contains("already exists"), "\(error)")
            try await onThread {
                let raw = try RawSQLite(file: file)
                #expect(try raw.texts(self.schema) == before)
                #expect(try raw.texts("SELECT version FROM schema_version") == ["0"])
            }
        }
    }

    @Test
    func `a file that is no database, and a folder that is not there, are refused`() async throws {
        try await withTemporaryDirectory { folder in
            let file = folder.appendingPathComponent("text.db")
            try Data(String(repeating: "not a database. ", count: 100).utf8).write(to: file)
            let error = try #require(throws: StoreError.self) { try TestStore(file: file) }
            #expect(error.message.contains(file.path), "\(error)")
            let nowhere = try #require(throws: StoreError.self) {
                try TestStore(file: folder.appendingPathComponent("missing/x.db"))
            }
            #expect(nowhere.code == .unavailable)
            #expect(nowhere.message.contains("missing/x.db"))
        }
    }
}
