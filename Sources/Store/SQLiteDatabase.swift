package import Domain
package import Foundation
import GRDB

/// The database on SQLite: one writer with group commit, several readers, WAL.
package final class SQLiteDatabase: Database {
    private static let readersMax = 4
    private static let busyTimeoutSeconds: Double = 5

    private let pool: DatabasePool
    private let committer: GroupCommitter
    private let clock: @Sendable () -> Timestamp

    /// Opens or makes the file and brings its schema up to date.
    ///
    /// Throws `.schemaTooNew` when a newer program has migrated it, `.unavailable` when it cannot be opened.
    package init(
        file: URL,
        clock: @escaping @Sendable () -> Timestamp = { .now }
    ) throws(StoreError) {
        var configuration = Configuration()
        configuration.busyMode = .timeout(Self.busyTimeoutSeconds)
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = Self.readersMax
        configuration.label = "penguin"
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = NORMAL")
            // GRDB gives readers a timeout of its own.
            try database.execute(sql: "PRAGMA busy_timeout = \(Int(Self.busyTimeoutSeconds * 1000))")
        }
        do {
            self.pool = try DatabasePool(path: file.path, configuration: configuration)
        } catch {
            throw StoreError(.unavailable, "cannot open \(file.path): \(error)", underlying: error)
        }
        self.clock = clock
        self.committer = GroupCommitter(pool: self.pool, clock: clock)
        try self.migrate(file: file)
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
