import Domain
import Foundation
import Testing
import TestSupport

@testable import Store

@Suite(.timeLimit(.minutes(1)))
struct MigrationsTests {
    private let schema = "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master ORDER BY 1"

    @Test
    func `a fresh file gets the schema and its version`() async throws {
        try await withTestStore { store in
            #expect(try await store.texts("SELECT version FROM schema_version") == ["2"])
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
            #expect(try await second.texts("SELECT version FROM schema_version") == ["2"])
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
                #expect(try await store.texts("SELECT version FROM schema_version") == ["2"])
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
            for part in [file.path, "version 7", "knows 2", "newer Penguin", "PENGUIN_DATABASE"] {
                #expect(error.message.contains(part), "\(part) in \(error.message)")
            }
            // It is refused again: the refusal did not touch the version.
            #expect(throws: StoreError.self) { try TestStore(file: file) }
        }
    }

    /// A file as the first released version left it, with a lane of three, a step, a worker and a message in it.
    private func makeFirstVersion(at file: URL) throws {
        let raw = try RawSQLite(file: file)
        try raw.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
        try raw.execute("INSERT INTO schema_version (version) VALUES (1)")
        for statement in Migrations.steps[0] + (SQLiteFullText.statements[1] ?? []) { try raw.execute(statement) }
        for (number, state) in ["completed", "running", "queued"].enumerated() {
            try raw.execute(
                """
                INSERT INTO jobs (id, kind, tenant, lane, lane_position, lane_head, priority, state, conversation_id,
                    agent_id, payload, result, attempt, claims, lost, epoch, worker_id, announced, created_at,
                    dispatched_at, started_at, finished_at)
                VALUES ('j\(number)', 'chat', 'default', 'default/c', \(number + 1), \(number < 2 ? 1 : 0), 1,
                    '\(state)', 'c', 'default', '{}', \(number == 0 ? "'{\"x\":1}'" : "NULL"), 1, 2, 3, 4, 'w1',
                    \(number == 0 ? 1 : 0), \(number), 6, 7, \(number == 0 ? "8" : "NULL"))
                """
            )
        }
        try raw.execute(
            """
            INSERT INTO steps (job_id, step, kind, state, epoch, covers)
                VALUES ('j1', 0, 'model_turn', 'done', 4, '4-9');
            INSERT INTO workers (id, host, pid, version, slots, running, started_at, heartbeat_at)
                VALUES ('w1', 'h', 1, '0', 4, 1, 0, 0);
            INSERT INTO conversations (tenant, id, title, agent_id, created_at, last_active, message_count)
                VALUES ('default', 'c', 'T', 'default', 0, 0, 1);
            INSERT INTO messages (id, tenant, conversation_id, position, role, content, category, created_at,
                    message_type, tokens, metadata)
                VALUES ('m1', 'default', 'c', 1, 'user', 'Hello', 'DIALOG', 0, 'message', 2, '{}');
            """
        )
    }

    @Test
    func `a file of the first version keeps all that is in it and its jobs go on`() async throws {
        try await withTemporaryDirectory { folder in
            let file = folder.appendingPathComponent("test.db")
            try await onThread { try self.makeFirstVersion(at: file) }
            let store = try TestStore(file: file)
            #expect(try await store.texts("SELECT version FROM schema_version") == ["2"])
            #expect(
                try await store.jobs() == ["j0 completed head 1/2/3", "j1 running head 1/2/3", "j2 queued 1/2/3"]
            )
            let ended = try await store.job("j0")
            #expect(ended.result == #"{"x":1}"# && ended.announced && ended.epoch == 4)
            #expect(ended.failures == 0 && ended.redrives == 0 && ended.usage == nil && ended.runAt == nil)
            #expect(try await store.ledger { try $0.steps(of: "j1") }.map(\.covers) == [EventID(epoch: 4, sequence: 9)])
            #expect(try await store.dialog("c") == ["user: Hello"])
            #expect(try await store.conversations { try $0.search("hello", of: .default, limit: 9) }.count == 1)
            #expect(
                try await store.workers { try $0.beat("w1", WorkerFigures(running: 1), draining: false) }.drain == false
            )
            #expect(try await store.ledger { try $0.isPaused() } == false)
            try await store.finish(try await store.job("j1"))
            try await store.finish(try await store.run("j2"))
            try store.database.close()
        }
    }

    @Test
    func `a file of the first version ends up with the schema of a new one`() async throws {
        try await withTemporaryDirectory { folder in
            let file = folder.appendingPathComponent("old.db")
            try await onThread { try self.makeFirstVersion(at: file) }
            let old = try TestStore(file: file)
            let new = try TestStore(file: folder.appendingPathComponent("new.db"))
            #expect(try await old.texts(self.schema) == new.texts(self.schema))
            #expect(try await old.texts("PRAGMA integrity_check") == ["ok"])
            try old.database.close()
            try new.database.close()
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
