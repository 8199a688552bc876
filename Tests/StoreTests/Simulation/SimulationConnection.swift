import Domain
import GRDB
import Store

@testable import Store

/// A connection like the store's own, with its statements kept and without its checks: a debug build runs ten times as
/// many seeds with it.
final class SimulationConnection: SQLConnection {
    private let database: GRDB.Database
    let clock: TestClock
    private var statements: [String: Statement] = [:]

    init(_ database: GRDB.Database, clock: TestClock) {
        self.database = database
        self.clock = clock
    }

    var now: Timestamp { self.clock.now }
    var dialect: SQLDialect { .sqlite }
    /// Rows changed so far, by whatever statement.
    var changeCount: Int { self.database.totalChangesCount }

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
        while let row = try cursor.next() { elements.append(try read(SimulationRow(row: row))) }
        return elements
    }

    private func statement(_ sql: String, _ arguments: [SQLValue]) throws -> Statement {
        let statement: Statement
        if let known = self.statements[sql] {
            statement = known
        } else {
            statement = try self.database.makeStatement(sql: sql)
            self.statements[sql] = statement
        }
        statement.setUncheckedArguments(StatementArguments(arguments.map(\.databaseValue)))
        return statement
    }
}

private struct SimulationRow: SQLRow {
    let row: Row

    func text(_ column: Int) -> String? { self.row[column] }
    func integer(_ column: Int) -> Int64? { self.row[column] }
    func real(_ column: Int) -> Double? { self.row[column] }
}

extension SQLValue {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let value): value.databaseValue
        case .real(let value): value.databaseValue
        case .text(let value): value.databaseValue
        }
    }
}
