package import CoreMetrics
package import Domain
package import Foundation
import GRDB

/// The database on SQLite: one writer with group commit, several readers, WAL.
package final class SQLiteDatabase: Database {
    package static let readersMax = 4
    private static let busyTimeoutSeconds: Double = 5
    private static let openAttemptsMax = 100
    private static let cacheKiB = 16_384

    private let pool: DatabasePool
    private let committer: GroupCommitter
    private let clock: @Sendable () -> Timestamp

    /// Opens or makes the file and brings its schema up to date.
    ///
    /// Throws `.schemaTooNew` when a newer program has migrated it, `.unavailable` when it cannot be opened.
    package init(
        file: URL,
        metrics: any MetricsFactory = NOOPMetricsHandler.instance,
        clock: @escaping @Sendable () -> Timestamp = { .now }
    ) throws(StoreError) {
        var configuration = Configuration()
        configuration.busyMode = .timeout(Self.busyTimeoutSeconds)
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = Self.readersMax
        configuration.label = "penguin"
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = NORMAL")
            // In KiB: a batch fits, so that no page is written before the commit.
            try database.execute(sql: "PRAGMA cache_size = -\(Self.cacheKiB)")
            // GRDB gives readers a timeout of its own.
            try database.execute(sql: "PRAGMA busy_timeout = \(Int(Self.busyTimeoutSeconds * 1000))")
        }
        if let type = FileSystem.networkType(of: file.deletingLastPathComponent()) {
            throw StoreError(
                .unavailable,
                "\(file.path) lies on \(type), where SQLite would lose data: name a local disk in PENGUIN_DATABASE"
            )
        }
        self.pool = try Self.open(file, configuration)
        self.clock = clock
        self.committer = GroupCommitter(pool: self.pool, metrics: StoreMetrics(metrics), clock: clock)
        try self.migrate(file: file)
    }

    /// Opens the file, again and again for some seconds while another process makes it: no busy timeout covers the switch to
    /// WAL.
    private static func open(_ file: URL, _ configuration: Configuration) throws(StoreError) -> DatabasePool {
        var attempt = 1
        while true {
            do {
                return try DatabasePool(path: file.path, configuration: configuration)
            } catch {
                let isBusy = (error as? DatabaseError)?.resultCode == .SQLITE_BUSY
                guard isBusy, attempt < Self.openAttemptsMax else {
                    throw StoreError(.unavailable, "cannot open \(file.path): \(error)", underlying: error)
                }
                attempt += 1
                Thread.sleep(forTimeInterval: Double.random(in: 0.05...0.15))
            }
        }
    }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            return try await self.pool.read { [clock] database in
                try body(SQLiteConnection(database: database, clock: clock))
            }
        } catch {
            throw StoreError(database: error)
        }
    }

    package func write<Value: Sendable>(
        _ durability: Durability,
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            return try await withCheckedThrowingContinuation { continuation in
                self.committer.submit(
                    GroupCommitter.Write(
                        durability: durability,
                        perform: { connection in
                            let value = try body(connection)
                            return { failure in
                                continuation.resume(with: failure.map { .failure($0) } ?? .success(value))
                            }
                        },
                        fail: { continuation.resume(throwing: $0) }
                    )
                )
            }
        } catch {
            throw StoreError(database: error)
        }
    }

    /// Writes that wait for the one writer.
    package var waitingWrites: Int { self.committer.waitingCount }

    /// Closes the connections; what was committed is kept.
    ///
    /// Later calls fail as unavailable.
    package func close() throws(StoreError) {
        do { try self.pool.close() } catch { throw StoreError(database: error) }
    }

    private func migrate(file: URL) throws(StoreError) {
        do {
            try self.pool.writeWithoutTransaction { database in
                // Two processes may start at once: the second sees the first one's version under the write lock.
                try database.inTransaction(.immediate) {
                    let connection = SQLiteConnection(database: database, clock: self.clock)
                    try Migrations.run(on: connection, more: SQLiteFullText.statements, file: file.path)
                    return .commit
                }
            }
        } catch {
            throw StoreError(database: error)
        }
    }
}
