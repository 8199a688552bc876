import Domain
import Store
import Synchronization
import Testing
import TestSupport

/// The statements that run all the time must cost what is open, not what has ever been: none may scan a table.
@Suite(.timeLimit(.minutes(2)))
struct QueryPlanTests {
    /// A store with a long past: 10,000 ended jobs and 10,000 messages, with or without the planner's statistics.
    func withHistory(analysed: Bool, _ body: (TestStore) async throws -> Void) async throws {
        try await withTestStore { store in
            let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
            try await store.conversations { conversations in
                for id in ["c", "d"] as [ConversationID] {
                    try conversations.ensure(id, of: .default, title: "T", agent: .default)
                }
            }
            try await store.execute(
                """
                INSERT INTO jobs (id, kind, tenant, lane, lane_position, lane_head, priority, state, payload, epoch,
                    worker_id, announced, created_at, dispatched_at, started_at, finished_at)
                \(numbers) SELECT 'old-' || i, 'chat', 'default', 'default/c', i, 1, i % 3, 'completed', '{}', i,
                    'w1', 1, i, i, i, i FROM n
                """
            )
            try await store.execute(
                """
                INSERT INTO messages (id, tenant, conversation_id, position, role, content, category, created_at,
                    message_type, tokens, metadata)
                \(numbers) SELECT 'm-' || i, 'default', CASE i % 2 WHEN 0 THEN 'c' ELSE 'd' END, i, 'user', 'x', 'DIALOG', i,
                    'message', 1, '{}' FROM n
                """
            )
            try await store.register("w1")
            if analysed { try await store.execute("ANALYZE") }
            for id in ["j1", "j2"] as [JobID] { try await store.submit(id, lane: "c") }
            try await body(store)
        }
    }

    /// The plans of every statement that `body` runs.
    func plans(
        of store: TestStore,
        _ body: @escaping @Sendable (any SQLConnection) throws -> Void
    ) async throws -> [String] {
        try await store.database.write(.relaxed) { connection in
            let explaining = ExplainingConnection(connection)
            try body(explaining)
            return explaining.plans
        }
    }

    private static let partialIndexes = [
        "jobs_dispatched", "jobs_running", "jobs_scheduled", "jobs_waiting", "jobs_cancelling",
    ]

    func expect(
        _ plans: [String],
        use indexes: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let scans = plans.filter { $0.hasPrefix("SCAN jobs") || $0.hasPrefix("SCAN messages") }
        // A scan along one of the partial indexes meets only the rows that are wanted.
        let wholeTable = scans.filter { scan in
            !Self.partialIndexes.contains { scan.contains("INDEX \($0)") }
        }
        #expect(wholeTable.isEmpty, "\(plans)", sourceLocation: sourceLocation)
        #expect(!plans.contains { $0.contains("TEMP B-TREE FOR ORDER BY") }, "\(plans)", sourceLocation: sourceLocation)
        for index in indexes {
            #expect(plans.contains { $0.contains(index) }, "\(index) in \(plans)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [false, true])
    func `submit looks at the open jobs of its lane only`(analysed: Bool) async throws {
        try await self.withHistory(analysed: analysed) { store in
            let plans = try await self.plans(of: store) { connection in
                let job = NewJob(id: "j3", kind: .chat, tenant: .default, conversationID: "c", payload: "{}")
                _ = try Ledger(connection).submit(job, hasRoom: true)
            }
            self.expect(plans, use: ["jobs_lane (lane=? AND lane_position>?)"])
        }
    }

    @Test(arguments: [false, true])
    func `redispatch and the load read along their index`(analysed: Bool) async throws {
        try await self.withHistory(analysed: analysed) { store in
            let again = try await self.plans(of: store) {
                _ = try Ledger($0).redispatch(olderThan: .seconds(10), limit: 10)
            }
            self.expect(again, use: ["INDEX jobs_dispatched"])
            let load = try await self.plans(of: store) { _ = try Ledger($0).load(heartbeatWithin: .seconds(20)) }
            self.expect(load, use: ["INDEX jobs_dispatched"])
        }
    }

    @Test(arguments: [false, true])
    func `claim and finish find the job by its id and the lane's next by its index`(analysed: Bool) async throws {
        try await self.withHistory(analysed: analysed) { store in
            _ = try await store.ledger { try $0.dispatchReady() }
            let claim = try await self.plans(of: store) { _ = try Ledger($0).claim(["j1"], by: "w1") }
            self.expect(
                claim,
                use: ["sqlite_autoindex_jobs_1 (id=?)", "messages_position (tenant=? AND conversation_id=?)"]
            )
            let epoch = try await store.job("j1").epoch
            let finish = try await self.plans(of: store) { connection in
                let answer = Message(role: .assistant, content: "x", timestamp: connection.now)
                try Ledger(connection).finish(
                    "j1",
                    epoch: epoch,
                    Ending(state: .completed, messages: [answer])
                )
            }
            self.expect(finish, use: ["sqlite_autoindex_jobs_1 (id=?)", "jobs_lane (lane=? AND lane_position>?)"])
            #expect(try await store.jobs().suffix(2) == ["j1 completed head 1/1/0", "j2 queued head 0/0/0"])
        }
    }

    @Test(arguments: [false, true])
    func `the reaper's looks meet only running and unannounced jobs`(analysed: Bool) async throws {
        try await self.withHistory(analysed: analysed) { store in
            try await store.run("j1", by: "gone")
            let reap = try await self.plans(of: store) {
                let lost = try Ledger($0).reap(lease: .seconds(20), lostMax: 3, limit: 10)
                #expect(lost.count == 1)
            }
            self.expect(reap, use: ["INDEX jobs_running"])
            let overdue = try await self.plans(of: store) {
                _ = try Ledger($0).overdueCancels(grace: .zero, limit: 10)
            }
            self.expect(overdue, use: ["INDEX jobs_running"])
            let unannounced = try await self.plans(of: store) {
                _ = try Ledger($0).unannounced(olderThan: .zero, limit: 10)
            }
            self.expect(unannounced, use: ["jobs_unannounced (announced=?"])
            let beat = try await self.plans(of: store) {
                _ = try Workers($0).beat("w1", WorkerFigures(running: 0), draining: false)
            }
            self.expect(beat, use: ["jobs_running (worker_id=?)"])
        }
    }

    @Test(arguments: [false, true])
    func `the last messages and the recent conversations are read along their indexes`(analysed: Bool) async throws {
        try await self.withHistory(analysed: analysed) { store in
            let tail = try await self.plans(of: store) {
                let messages = try Conversations($0).messages(of: "c", of: .default, last: 20)
                #expect(messages.count == 20)
            }
            self.expect(tail, use: ["messages_position (tenant=? AND conversation_id=?)"])
            let list = try await self.plans(of: store) {
                let before = (lastActive: $0.now, id: ConversationID(rawValue: "c"))
                _ = try Conversations($0).list(ConversationQuery(limit: 5, before: before), of: .default)
            }
            self.expect(list, use: ["conversations_recent (tenant=?"])
            let steps = try await self.plans(of: store) { _ = try Ledger($0).steps(of: "j1") }
            self.expect(steps, use: ["sqlite_autoindex_steps_1 (job_id=?)"])
        }
    }

    @Test
    func `a plan that scans is seen by these tests`() async throws {
        try await self.withHistory(analysed: false) { store in
            let plans = try await self.plans(of: store) {
                _ = try $0.rows("SELECT id FROM jobs WHERE payload = $1", ["x"]) { $0.text(0) }
            }
            #expect(plans == ["SCAN jobs"])
        }
    }
}

/// A connection that notes how SQLite will go about each statement before it runs.
private final class ExplainingConnection: SQLConnection {
    private let base: any SQLConnection
    private(set) var plans: [String] = []

    init(_ base: any SQLConnection) { self.base = base }

    var now: Timestamp { self.base.now }
    var dialect: SQLDialect { self.base.dialect }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        try self.explain(sql, arguments)
        return try self.base.execute(sql, arguments)
    }

    func rows<Element>(
        _ sql: String,
        _ arguments: [SQLValue],
        _ read: (any SQLRow) throws -> Element
    ) throws -> [Element] {
        try self.explain(sql, arguments)
        return try self.base.rows(sql, arguments, read)
    }

    private func explain(_ sql: String, _ arguments: [SQLValue]) throws {
        self.plans += try self.base.rows("EXPLAIN QUERY PLAN " + sql, arguments) { $0.text(3) ?? "" }
    }
}
