import Domain
import GRDB
import GRDBSQLite
#if canImport(Glibc)
    import Glibc
#endif

/// A GRDB connection inside a transaction, as the rest of the module wants it.
///
/// Opening, transactions and the cache of prepared statements are GRDB's. Binding and stepping go straight to SQLite: on
/// the way through a library's rows and values a job's four statements cost more than in SQLite itself.
struct SQLiteConnection: SQLConnection {
    let database: GRDB.Database
    let clock: @Sendable () -> Timestamp

    var now: Timestamp { self.clock() }
    var dialect: SQLDialect { .sqlite }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        try self.withStatement(sql, arguments) { statement in
            while try self.step(statement) {}
            return self.database.changesCount
        }
    }

    func rows<Element>(
        _ sql: String,
        _ arguments: [SQLValue],
        _ read: (any SQLRow) throws -> Element
    ) throws -> [Element] {
        try self.withStatement(sql, arguments) { statement in
            let row = SQLiteRow(statement: statement)
            var elements: [Element] = []
            while try self.step(statement) { elements.append(try read(row)) }
            return elements
        }
    }

    private func withStatement<Result>(
        _ sql: String,
        _ arguments: [SQLValue],
        _ body: (OpaquePointer) throws -> Result
    ) throws -> Result {
        assert(Self.parametersAreInOrder(sql), "parameters of \(sql) do not first appear as $1, $2, …")
        let cached = try self.database.cachedStatement(sql: sql)
        let statement = cached.sqliteStatement
        guard Int(sqlite3_bind_parameter_count(statement)) == arguments.count else {
            throw StoreError(.unavailable, "\(arguments.count) arguments do not fit: \(sql)")
        }
        defer { sqlite3_reset(statement) }
        for (index, value) in arguments.enumerated() {
            guard value.bind(to: statement, at: CInt(index + 1)) == SQLITE_OK else { throw self.error }
        }
        return try withExtendedLifetime(cached) { try body(statement) }
    }

    /// True when there is a row to read.
    private func step(_ statement: OpaquePointer) throws -> Bool {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw self.error
        }
    }

    /// What SQLite says of the last failure; never the arguments.
    private var error: DatabaseError {
        let connection = self.database.sqliteConnection
        return DatabaseError(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
            message: String(cString: sqlite3_errmsg(connection))
        )
    }

    /// SQLite numbers named parameters by first appearance, PostgreSQL by their digits: only this order suits both.
    private static func parametersAreInOrder(_ sql: String) -> Bool {
        var seen = 0
        for part in sql.split(separator: "$", omittingEmptySubsequences: false).dropFirst() {
            guard let number = Int(part.prefix { $0.isNumber }) else { continue }
            if number > seen + 1 { return false }
            seen = max(seen, number)
        }
        return true
    }
}

/// The row that a statement stands on.
private struct SQLiteRow: SQLRow {
    let statement: OpaquePointer

    func text(_ column: Int) -> String? {
        guard let bytes = sqlite3_column_text(self.statement, CInt(column)) else { return nil }
        let count = Int(sqlite3_column_bytes(self.statement, CInt(column)))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    func integer(_ column: Int) -> Int64? {
        self.isNull(column) ? nil : sqlite3_column_int64(self.statement, CInt(column))
    }

    func real(_ column: Int) -> Double? {
        self.isNull(column) ? nil : sqlite3_column_double(self.statement, CInt(column))
    }

    private func isNull(_ column: Int) -> Bool { sqlite3_column_type(self.statement, CInt(column)) == SQLITE_NULL }
}

extension SQLValue {
    /// Tells SQLite to copy a text before the call returns.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    fileprivate func bind(to statement: OpaquePointer, at index: CInt) -> CInt {
        switch self {
        case .null: return sqlite3_bind_null(statement, index)
        case .integer(let value): return sqlite3_bind_int64(statement, index, value)
        case .real(let value): return sqlite3_bind_double(statement, index, value)
        case .text(var value):
            return value.withUTF8 { bytes in
                // SQLite's text ends for its reader at a NUL, and PostgreSQL takes none.
                guard let start = bytes.baseAddress, memchr(start, 0, bytes.count) != nil else {
                    return Self.bind(bytes, to: statement, at: index)
                }
                var cleaned = String(decoding: bytes, as: UTF8.self).replacing("\0", with: "\u{FFFD}")
                return cleaned.withUTF8 { Self.bind($0, to: statement, at: index) }
            }
        }
    }

    private static func bind(
        _ bytes: UnsafeBufferPointer<UInt8>,
        to statement: OpaquePointer,
        at index: CInt
    ) -> CInt {
        guard let start = bytes.baseAddress, !bytes.isEmpty else {
            return sqlite3_bind_text(statement, index, "", 0, self.transient)
        }
        return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
            sqlite3_bind_text(statement, index, $0, CInt(bytes.count), self.transient)
        }
    }
}

extension SQLDialect {
    /// SQLite: FTS5, ranked by bm25.
    static let sqlite = SQLDialect(
        messageSearch: """
            SELECT m.id, m.role, m.content, m.category, m.created_at, m.agent_id, m.recipient_id, m.message_type,
                m.channel, m.reasoning, m.tool_calls, m.tool_call_id, m.tokens, m.metadata, m.conversation_id
            FROM messages_text JOIN messages m ON m.rowid = messages_text.rowid
            WHERE m.tenant = $1 AND messages_text MATCH $2 ORDER BY rank LIMIT $3
            """,
        searchTerm: { words in
            words.split(whereSeparator: \.isWhitespace)
                .map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }
                .joined(separator: " ")
        }
    )
}
