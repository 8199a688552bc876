import Domain
import GRDB

/// A GRDB connection inside a transaction, as the rest of the module wants it.
struct SQLiteConnection: SQLConnection {
    let database: GRDB.Database
    let clock: @Sendable () -> Timestamp

    var now: Timestamp { self.clock() }
    var dialect: SQLDialect { .sqlite }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        try self.statement(sql, arguments).execute()
        return self.database.changesCount
    }

    func rows<Element>(
        _ sql: String,
        _ arguments: [SQLValue],
        _ read: (any SQLRow) throws -> Element
    ) throws -> [Element] {
        let cursor = try Row.fetchCursor(self.statement(sql, arguments))
        var elements: [Element] = []
        while let row = try cursor.next() {
            elements.append(try read(SQLiteRow(row: row)))
        }
        return elements
    }

    private func statement(_ sql: String, _ arguments: [SQLValue]) throws -> Statement {
        assert(Self.parametersAreInOrder(sql), "parameters of \(sql) do not first appear as $1, $2, …")
        let statement = try self.database.cachedStatement(sql: sql)
        try statement.setArguments(StatementArguments(arguments.map(\.bound)))
        return statement
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

private struct SQLiteRow: SQLRow {
    let row: Row

    func text(_ column: Int) -> String? { self.row[column] }
    func integer(_ column: Int) -> Int64? { self.row[column] }
    func real(_ column: Int) -> Double? { self.row[column] }
}

extension SQLValue {
    fileprivate var bound: (any DatabaseValueConvertible)? {
        switch self {
        case .null: nil
        case .integer(let value): value
        case .real(let value): value
        // SQLite's text ends for its reader at a NUL, and PostgreSQL takes none.
        case .text(let value): value.utf8.contains(0) ? value.replacing("\0", with: "\u{FFFD}") : value
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
