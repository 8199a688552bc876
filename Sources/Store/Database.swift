package import Domain

/// What must survive: the ledger of jobs, their steps, the workers, conversations and messages.
///
/// Everything above speaks to one `Database`; SQLite stands behind it (`SQLiteDatabase`), and another engine may once a
/// deployment outgrows one machine. All SQL is in this module, in the dialect that SQLite 3.40 and PostgreSQL 15 share.
package protocol Database: Sendable {
    /// Runs `body` on a snapshot of the data; it must not write.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(StoreError) -> Value

    /// Runs `body` in a transaction that may write, committed when this returns.
    ///
    /// Writes of concurrent callers may share a transaction, each in a savepoint of its own: what one throws undoes
    /// its own changes only. `body` may not wait for anything.
    func write<Value: Sendable>(
        _ durability: Durability,
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(StoreError) -> Value
}

/// Whether a commit must be on disk before it is reported.
package enum Durability: Sendable {
    /// Synced to disk: submits, finishes, intents of tools. What a client was told must never be lost.
    case durable
    /// In the log of the database, not yet synced: claims, heartbeats. Losing one costs a repetition, never work.
    case relaxed
}

/// One connection inside a transaction.
///
/// Valid only during the closure that was given it.
package protocol SQLConnection {
    /// The database's clock, from which every time in the ledger comes.
    var now: Timestamp { get }
    /// What this engine says differently.
    var dialect: SQLDialect { get }

    /// Runs a statement and returns the number of rows it changed. Parameters are `$1…$n`, each first used in order.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int

    /// Runs a query, or a statement with `RETURNING`, and reads every row.
    func rows<Element>(
        _ sql: String,
        _ arguments: [SQLValue],
        _ read: (any SQLRow) throws -> Element
    ) throws -> [Element]
}

/// A row, by column number from 0.
package protocol SQLRow {
    /// The column as text; nil when NULL.
    func text(_ column: Int) -> String?
    /// The column as an integer; nil when NULL.
    func integer(_ column: Int) -> Int64?
    /// The column as a real number; nil when NULL.
    func real(_ column: Int) -> Double?
}

/// What the engines do not share.
package struct SQLDialect: Sendable {
    /// `$1` tenant, `$2` words as this engine wants them, `$3` limit: the messages that match, best first.
    package var messageSearch: String
    /// Turns a user's words into the engine's query, so that no character of theirs is an operator.
    package var searchTerm: @Sendable (String) -> String
}

/// A value to bind.
package enum SQLValue: Sendable, Equatable {
    /// NULL
    case null
    /// A 64-bit integer.
    case integer(Int64)
    /// A double.
    case real(Double)
    /// UTF-8 text.
    case text(String)
}

extension SQLConnection {
    /// The first row of a query; nil when there is none.
    package func row<Element>(
        _ sql: String,
        _ arguments: [SQLValue],
        _ read: (any SQLRow) throws -> Element
    ) throws -> Element? {
        try self.rows(sql, arguments, read).first
    }
}

extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }

    init(_ value: String?) { self = value.map(SQLValue.text) ?? .null }
    init(_ value: Int) { self = .integer(Int64(value)) }
    init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
    init(_ value: Int64) { self = .integer(value) }
    init(_ value: Bool) { self = .integer(value ? 1 : 0) }
    init(_ time: Timestamp?) { self = time.map { .integer($0.milliseconds) } ?? .null }
    init<Subject>(_ id: Identifier<Subject>?) { self = id.map { .text($0.rawValue) } ?? .null }
    init<Value: RawRepresentable<String>>(_ value: Value) { self = .text(value.rawValue) }
}

extension SQLRow {
    func time(_ column: Int) -> Timestamp? { self.integer(column).map(Timestamp.init(milliseconds:)) }
    func bool(_ column: Int) -> Bool { self.integer(column) == 1 }
    func int(_ column: Int) -> Int { Int(self.integer(column) ?? 0) }
    func id<Subject>(_ column: Int) -> Identifier<Subject>? { self.text(column).map(Identifier.init(rawValue:)) }

    func requiredText(_ column: Int) throws -> String {
        guard let text = self.text(column) else { throw StoreError(.corrupt, "column \(column) is NULL") }
        return text
    }

    func value<Value: RawRepresentable<String>>(_ column: Int, as type: Value.Type) throws -> Value {
        let text = try self.requiredText(column)
        guard let value = Value(rawValue: text) else {
            throw StoreError(.corrupt, "'\(text)' is no \(Value.self)")
        }
        return value
    }
}
