import CoreMetrics
import DequeModule
import Domain
import GRDB
import Synchronization

/// Gathers the writes of concurrent callers into one transaction each, so that many share one sync to disk.
///
/// There is no delay: while one batch is committed the next gathers. What one write throws undoes its own changes only; a
/// failed commit fails every write of the batch.
final class GroupCommitter: Sendable {
    /// Tells a caller that its write is committed, or why not.
    typealias Report = @Sendable (StoreError?) -> Void

    /// One caller's write: `perform` runs it, perhaps twice, and returns how to report the commit; `fail` reports that it
    /// came to nothing.
    struct Write: Sendable {
        let durability: Durability
        let perform: @Sendable (SQLiteConnection) throws -> Report
        let fail: @Sendable (StoreError) -> Void
    }

    private struct State {
        var waiting: Deque<Write> = []
        var isDraining = false
    }

    /// Writes in one transaction.
    private static let batchMax = 256
    /// Writes that may wait; more are refused as overloaded.
    private static let waitingMax = 16_384

    private let pool: DatabasePool
    private let metrics: StoreMetrics
    private let clock: @Sendable () -> Timestamp
    private let state = Mutex(State())
    private let isSyncing = Mutex(false)

    init(
        pool: DatabasePool,
        metrics: StoreMetrics = StoreMetrics(NOOPMetricsHandler.instance),
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.pool = pool
        self.metrics = metrics
        self.clock = clock
    }

    /// Writes that wait for the next batch.
    var waitingCount: Int { self.state.withLock { $0.waiting.count } }

    func submit(_ write: Write) {
        enum Order { case drain, wait, refuse }
        let order: Order = self.state.withLock { state in
            guard state.waiting.count < Self.waitingMax else { return .refuse }
            state.waiting.append(write)
            defer { state.isDraining = true }
            return state.isDraining ? .wait : .drain
        }
        switch order {
        case .wait: break
        case .refuse:
            self.metrics.refused.increment()
            write.fail(StoreError(.overloaded, "\(Self.waitingMax) writes wait already"))
        case .drain: self.pool.asyncWriteWithoutTransaction { database in self.drain(database) }
        }
    }

    private func drain(_ database: GRDB.Database) {
        while let batch = self.nextBatch() {
            let began = ContinuousClock.now
            self.commit(batch, to: database)
            self.metrics.batches.record(batch.count)
            self.metrics.commits.recordNanoseconds(began.duration(to: .now).nanoseconds)
        }
    }

    private func nextBatch() -> [Write]? {
        self.state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isDraining = false
                return nil
            }
            let batch = Array(state.waiting.prefix(Self.batchMax))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }

    /// Runs a batch in one transaction: at first without savepoints, which cost a copy of every page that a write touches;
    /// when a write throws, all of it once more with one for each.
    private func commit(_ batch: [Write], to database: GRDB.Database) {
        do {
            try self.setSync(batch.contains { $0.durability == .durable }, on: database)
            try database.beginTransaction(.immediate)
        } catch {
            let failure = StoreError(database: error)
            for write in batch { write.fail(failure) }
            return
        }
        let connection = SQLiteConnection(database: database, clock: self.clock)
        let reports = self.performAll(batch, on: connection) ?? self.performEach(batch, on: connection)
        var failure: StoreError?
        do {
            if database.isInsideTransaction { try database.commit() }
        } catch {
            failure = StoreError(database: error)
            self.rollBack(database)
        }
        for report in reports { report(failure) }
    }

    /// How to report each write; nil when one has thrown, and then nothing of the batch is done.
    private func performAll(_ batch: [Write], on connection: SQLiteConnection) -> [Report]? {
        do {
            return try batch.map { try $0.perform(connection) }
        } catch {
            self.rollBack(connection.database)
            return nil
        }
    }

    /// Runs each write in a savepoint of its own, so that what one throws undoes its own changes only.
    private func performEach(_ batch: [Write], on connection: SQLiteConnection) -> [Report] {
        var reports: [Report] = []
        for write in batch { self.perform(write, on: connection, reports: &reports) }
        return reports
    }

    /// Runs one write in its savepoint.
    ///
    /// When SQLite gives up the whole transaction (a full disk), all before it fail too.
    private func perform(_ write: Write, on connection: SQLiteConnection, reports: inout [Report]) {
        do {
            if !connection.database.isInsideTransaction { try connection.database.beginTransaction(.immediate) }
            try connection.execute("SAVEPOINT one_write", [])
            let report = try write.perform(connection)
            try connection.execute("RELEASE SAVEPOINT one_write", [])
            reports.append(report)
        } catch {
            let failure = (error as? StoreError) ?? StoreError(database: error)
            do {
                try connection.execute("ROLLBACK TO SAVEPOINT one_write", [])
                try connection.execute("RELEASE SAVEPOINT one_write", [])
            } catch {
                self.rollBack(connection.database)
                for report in reports { report(failure) }
                reports = []
            }
            write.fail(failure)
        }
    }

    private func rollBack(_ database: GRDB.Database) {
        guard database.isInsideTransaction else { return }
        // A rollback that fails leaves the connection unusable, and the next BEGIN reports it to its callers.
        try? database.rollback()
    }

    private func setSync(_ wanted: Bool, on database: GRDB.Database) throws {
        guard self.isSyncing.withLock({ $0 }) != wanted else { return }
        try database.execute(sql: wanted ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
        self.isSyncing.withLock { $0 = wanted }
    }
}

extension StoreError {
    /// Says what a database error means to a caller.
    init(database error: any Error) {
        if let error = error as? StoreError {
            self = error
            return
        }
        if error is DecodingError {
            // The error's text may be a user's; the underlying error has it.
            self.init(.corrupt, "a row's JSON cannot be decoded", underlying: error)
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.unavailable, "\(error)", underlying: error)
            return
        }
        let code: Code =
            switch error.resultCode {
            case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
            case .SQLITE_FULL: .full
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
            default: .unavailable
            }
        // The statement's arguments stay out: they may be a user's text.
        self.init(code, error.message ?? "SQLite error \(error.extendedResultCode.rawValue)", underlying: error)
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        self.components.seconds * 1_000_000_000 + self.components.attoseconds / 1_000_000_000
    }
}
