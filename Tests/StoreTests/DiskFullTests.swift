import Domain
import Foundation
import Store
import Testing
import TestSupport

/// A disk without room: every write is told the truth, and the database works again once there is room.
@Suite(.timeLimit(.minutes(2)))
struct DiskFullTests {
    private static let filler = String(repeating: "x", count: 20_000)

    private static func insert(_ id: String, _ connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO workers (id, host, pid, version, slots, running, started_at, heartbeat_at)
            VALUES ($1, $2, 1, 'v', 1, 0, 0, 0)
            """,
            [.text(id), .text(self.filler)]
        )
    }

    /// Writes until `count` have failed with the codes of a full disk; returns the ids of those that did not.
    private func fill(_ store: TestStore, untilFailed count: Int, _ round: String) async throws -> Set<String> {
        var written: Set<String> = []
        var failed = 0
        for number in 0..<5000 where failed < count {
            let id = "\(round)-\(number)"
            do throws(StoreError) {
                try await store.database.write(number % 2 == 0 ? .durable : .relaxed) { try Self.insert(id, $0) }
                written.insert(id)
            } catch {
                #expect([.full, .unavailable].contains(error.code), "\(error)")
                #expect(error.isTransient)
                failed += 1
            }
        }
        #expect(failed == count)
        return written
    }

    private func ids(_ store: TestStore) async throws -> Set<String> {
        Set(try await store.texts("SELECT id FROM workers"))
    }

    @Test
    func `a database that may not grow refuses writes as full, keeps what it promised, and recovers`() async throws {
        try await withTestStore { store in
            let pages = try await store.texts("PRAGMA page_count").first.flatMap { Int($0) } ?? 0
            try await store.limit(toPages: pages + 40)
            let written = try await self.fill(store, untilFailed: 3, "a")
            #expect(!written.isEmpty)
            #expect(try await self.ids(store) == written)
            try await store.limit(toPages: 1_000_000)
            try await store.submit("j1")
            #expect(try await self.ids(store) == written)
            #expect(try await store.texts("PRAGMA integrity_check") == ["ok"])
        }
    }

    @Test
    func `in one batch each write is told what became of it when room runs out in the middle`() async throws {
        try await withTestStore { store in
            let pages = try await store.texts("PRAGMA page_count").first.flatMap { Int($0) } ?? 0
            let results = try await store.inOneBatch(Array(repeating: .durable, count: 30)) { connection, number in
                if number == 0 {
                    _ = try connection.rows("PRAGMA max_page_count = \(pages + 60)", []) { _ in }
                }
                try Self.insert("\(number)", connection)
                return number
            }
            let succeeded = results.enumerated().filter { (try? $0.element.get()) != nil }.map { "\($0.offset)" }
            #expect(results.contains { $0.outcome == "full" })
            #expect(try await self.ids(store) == Set(succeeded))
        }
    }

    @Test
    func `a statement that runs out of room in its middle leaves nothing of its write`() async throws {
        try await withTestStore { store in
            let pages = try await store.texts("PRAGMA page_count").first.flatMap { Int($0) } ?? 0
            try await store.limit(toPages: pages + 40)
            let error = await #expect(throws: StoreError.self) {
                try await store.database.write(.durable) { connection in
                    try Self.insert("before", connection)
                    try connection.execute(
                        """
                        INSERT INTO workers (id, host, pid, version, slots, running, started_at, heartbeat_at)
                        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
                        SELECT 'many-' || i, $1, 1, 'v', 1, 0, 0, 0 FROM n
                        """,
                        [.text(Self.filler)]
                    )
                }
            }
            #expect(error?.code == .full)
            #expect(try await self.ids(store) == [])
            try await store.limit(toPages: 1_000_000)
            #expect(try await store.submit("j1") == .queued)
        }
    }

    @Test(.enabled(if: SmallDisk.isPossible, "needs the right to mount"))
    func `a disk that is really full refuses writes, and the database works again when there is room`() async throws {
        try await SmallDisk.with(kibibytes: 1024) { folder in
            let store = try TestStore(file: folder.appendingPathComponent("test.db"))
            let written = try await self.fill(store, untilFailed: 5, "a")
            #expect(try await self.ids(store) == written)
            try SmallDisk.resize(folder, kibibytes: 16_384)
            try await store.submit("j1")
            #expect(try await self.ids(store) == written)
            #expect(try await store.texts("PRAGMA integrity_check") == ["ok"])
            try store.database.close()
            let again = try TestStore(file: store.file)
            #expect(try await self.ids(again) == written)
            #expect(try await again.jobs() == ["j1 queued head 0/0/0"])
            try again.database.close()
        }
    }
}

extension TestStore {
    /// Bounds the file for the writer's connection.
    fileprivate func limit(toPages pages: Int) async throws {
        let limit = try await self.database.write(.relaxed) { connection in
            try connection.row("PRAGMA max_page_count = \(pages)", []) { $0.integer(0) }
        }
        #expect(limit == Int64(pages))
    }
}

/// A file system in memory, as small as one likes.
private enum SmallDisk {
    /// Whether this process may mount; asked by doing it once.
    static let isPossible: Bool = {
        guard let folder = try? makeTemporaryDirectory() else { return false }
        defer { try? FileManager.default.removeItem(at: folder) }
        guard mount("tmpfs", folder.path, "tmpfs", 0, "size=64k") == 0 else { return false }
        return umount2(folder.path, Self.detach) == 0
    }()

    private static let detach = CInt(2)
    private static let remount = UInt(32)

    static func with<Result>(kibibytes: Int, _ body: (URL) async throws -> Result) async throws -> Result {
        try await withTemporaryDirectory { parent in
            let folder = parent.appendingPathComponent("disk")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
            try #require(mount("tmpfs", folder.path, "tmpfs", 0, "size=\(kibibytes)k") == 0)
            defer { umount2(folder.path, Self.detach) }
            return try await body(folder)
        }
    }

    static func resize(_ folder: URL, kibibytes: Int) throws {
        try #require(mount("tmpfs", folder.path, "tmpfs", Self.remount, "size=\(kibibytes)k") == 0)
    }
}
