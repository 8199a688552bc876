import Domain
import Foundation
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(2)))
struct GroupCommitterTests {
    private struct Refused: Error {}

    private static func insert(_ id: String, _ connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO workers (id, host, pid, version, slots, running, started_at, heartbeat_at)
            VALUES ($1, 'h', 1, 'v', 1, 0, 0, 0)
            """,
            [.text(id)]
        )
    }

    private func workers(_ store: TestStore) async throws -> [String] {
        try await store.texts("SELECT id FROM workers ORDER BY id")
    }

    @Test
    func `a write that throws undoes its own changes only, after one statement or several`() async throws {
        try await withTestStore { store in
            let results = try await store.inOneBatch(Array(repeating: .durable, count: 4)) { connection, number in
                try Self.insert("\(number)-a", connection)
                if number == 1 { throw Refused() }
                try Self.insert("\(number)-b", connection)
                try connection.execute("DELETE FROM workers WHERE id = '0-a'", [])
                if number == 2 { throw StoreError(.fenced, "not ours") }
                return number
            }
            #expect(results.map { $0.outcome } == ["0", "unavailable", "fenced", "3"])
            #expect(try await self.workers(store) == ["0-b", "3-a", "3-b"])
        }
    }

    @Test
    func `a statement that fails inside a write does not hurt its neighbours`() async throws {
        try await withTestStore { store in
            let results = try await store.inOneBatch(Array(repeating: .relaxed, count: 5)) { connection, number in
                switch number {
                case 1: try connection.execute("NONSENSE", [])
                case 2: try Self.insert("0", connection)
                case 3: try connection.execute("INSERT INTO steps (job_id) VALUES ('none')", [])
                default: try Self.insert("\(number)", connection)
                }
                return number
            }
            #expect(results.map { $0.outcome } == ["0", "unavailable", "unavailable", "unavailable", "4"])
            #expect(try await self.workers(store) == ["0", "4"])
        }
    }

    @Test
    func `a write that catches its own error keeps the rest of its changes`() async throws {
        try await withTestStore { store in
            try await store.database.write(.durable) { connection in
                try Self.insert("a", connection)
                #expect(throws: (any Error).self) { try Self.insert("a", connection) }
                try Self.insert("b", connection)
            }
            #expect(try await self.workers(store) == ["a", "b"])
        }
    }

    @Test
    func `many writers at once each see their own fate, and nothing is lost or doubled`() async throws {
        try await withTestStore { store in
            let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
                for number in 0..<2000 {
                    group.addTask {
                        do {
                            try await store.database.write(number % 3 == 0 ? .durable : .relaxed) { connection in
                                try Self.insert("\(number)", connection)
                                if number % 7 == 0 { throw Refused() }
                            }
                            return (number, true)
                        } catch {
                            return (number, false)
                        }
                    }
                }
                return await group.reduce(into: [Int: Bool]()) { $0[$1.0] = $1.1 }
            }
            let expected = (0..<2000).filter { $0 % 7 != 0 }
            #expect(outcomes.filter(\.value).keys.sorted() == expected)
            let there = try await self.workers(store)
            #expect(Set(there) == Set(expected.map(String.init)))
        }
    }

    @Test
    func `two processes write to one file at once and lose nothing`() async throws {
        try await withTestStore { store in
            let other = try SQLiteDatabase(file: store.file) { store.clock.now }
            try await withThrowingTaskGroup { group in
                for number in 0..<200 {
                    let database = number % 2 == 0 ? store.database : other
                    group.addTask {
                        try await database.write(.durable) { connection in
                            // Read, then write: what a deferred transaction could not do.
                            let count = try connection.row("SELECT COUNT(*) FROM workers", []) { $0.integer(0) ?? 0 }
                            try Self.insert("\(number)", connection)
                            try connection.execute(
                                "UPDATE workers SET pid = $1 WHERE id = $2",
                                [.integer(count ?? 0), .text("\(number)")]
                            )
                        }
                    }
                }
                try await group.waitForAll()
            }
            // Each saw another count: no two were in the database at once.
            #expect(try await store.texts("SELECT COUNT(DISTINCT pid) FROM workers") == ["200"])
            try other.close()
        }
    }

    @Test
    func `writes of one caller are seen in order`() async throws {
        try await withTestStore { store in
            for number in 0..<50 {
                try await store.database.write(.relaxed) { try Self.insert("\(number + 100)", $0) }
                #expect(try await self.workers(store).count == number + 1)
            }
        }
    }

    @Test
    func `what a row cannot be decoded to is reported as corrupt, not as worth a retry`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            for change in ["state = 'odd'", "kind = 'odd'", "priority = 9", "failure = '{'"] {
                try await store.execute("UPDATE jobs SET \(change)")
                let error = await #expect(throws: StoreError.self) { try await store.job("j1") }
                #expect(error?.code == .corrupt, "\(change)")
                #expect(error?.isTransient == false)
                try await store.execute(
                    "UPDATE jobs SET state = 'queued', kind = 'chat', priority = 1, failure = NULL"
                )
            }
        }
    }

    @Test
    func `an error does not repeat what a user wrote`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let error = await #expect(throws: StoreError.self) {
                try await store.database.write(.durable) { connection in
                    try Ledger(connection).submit(
                        NewJob(id: "j1", kind: .chat, tenant: "secret-tenant", payload: "secret-payload"),
                        hasRoom: true
                    )
                }
            }
            #expect(error?.description.contains("secret") == false, "\(error?.description ?? "")")
        }
    }
}

extension Result where Failure == StoreError {
    var outcome: String {
        switch self {
        case .success(let value): "\(value)"
        case .failure(let error): error.code.rawValue
        }
    }
}
