import Domain
import Redis
import Store
import Testing
import TestSupport

@testable import Queue

/// Shares and caps through the ledger and real dispatchers.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct FairnessTests {
    /// Accepts jobs of tenants, none of which is dispatched before all are there.
    private static func submit(_ counts: [TenantID: Int], on test: TestQueue) async throws {
        try await test.queue.setPaused(true)
        for (tenant, count) in counts.sorted(by: { $0.key < $1.key }) {
            for index in 0..<count { try await test.submit(JobID(rawValue: "\(tenant)-\(index)"), tenant: tenant) }
        }
        try await test.queue.setPaused(false)
    }

    /// Takes and ends jobs one after the other, and returns whose they were.
    private static func work(_ count: Int, on test: TestQueue) async throws -> [String] {
        var tenants: [String] = []
        while tenants.count < count {
            try await test.queue.dispatcher.pass(isTick: false)
            let entries = try await test.read(1)
            guard !entries.isEmpty else { return tenants }
            // None of an entry from before a pause.
            for lease in try await test.queue.claim(entries, by: "w1") {
                tenants.append(lease.job.tenant.rawValue)
                try await test.finish(lease)
            }
        }
        return tenants
    }

    private static func counts(_ tenants: some Sequence<String>) -> [String: Int] {
        tenants.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    @Test func `tenants have their weights' parts from the first job on`() async throws {
        try await withTestQueue({ $0.shares = ["a": .init(weight: 3), "b": .init(weight: 1)] }) { test in
            try await Self.submit(["a": 80, "b": 80], on: test)
            let order = try await Self.work(80, on: test)
            for end in stride(from: 8, through: 80, by: 8) {
                let counts = Self.counts(order.prefix(end))
                #expect(abs((counts["a"] ?? 0) - end * 3 / 4) <= 2, "of the first \(end)")
            }
            // With one of them done the other has everything.
            #expect(Self.counts(try await Self.work(80, on: test)) == ["a": 20, "b": 60])
        }
    }

    @Test func `a newcomer is served at once beside a long backlog, and no more than its part`() async throws {
        try await withTestQueue { test in
            try await Self.submit(["big": 100], on: test)
            _ = try await Self.work(30, on: test)
            // What was dispatched before it came goes first.
            let before = try await test.stream().count
            for index in 0..<20 { try await test.submit(JobID(rawValue: "new-\(index)"), tenant: "new") }
            let order = try await Self.work(40, on: test)
            let first = try #require(order.firstIndex(of: "new"))
            #expect(first <= before + 1)
            let count = Self.counts(order.dropFirst(before))["new"] ?? 0
            #expect(abs(count - (order.count - before) / 2) <= 2)
        }
    }

    @Test func `caps are exact while the dispatchers of two processes run at once`() async throws {
        try await withTestQueue({
            $0.dispatchWindowMin = 30
            $0.shares = ["capped": .init(runningMax: 3), "one": .init(runningMax: 1)]
        }) { test in
            try await Self.watch(test)
            try await Self.submit(["capped": 30, "one": 10, "free": 30], on: test)
            try await test.register("w1")
            try await test.withOtherProcess { other in
                let isOpen: @Sendable () async throws -> Bool = {
                    try await !test.texts("SELECT id FROM jobs WHERE finished_at IS NULL LIMIT 1").isEmpty
                }
                try await withThrowingTaskGroup { group in
                    for queue in [test.queue, other, test.queue, other] {
                        group.addTask { while try await isOpen() { try await queue.dispatcher.pass(isTick: true) } }
                    }
                    for (worker, queue): (WorkerID, JobQueue) in [("w1", test.queue), ("w2", other)] {
                        group.addTask {
                            while try await isOpen() {
                                let entries = try await test.read(2, by: worker)
                                for lease in try await queue.claim(entries, by: worker) { try await test.finish(lease) }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let most = try await test.texts(
                "SELECT tenant || ' ' || MAX(active) FROM seen GROUP BY tenant ORDER BY tenant"
            )
            #expect(most.filter { !$0.hasPrefix("free") } == ["capped 3", "one 1"])
            #expect(try await test.texts("SELECT DISTINCT state FROM jobs") == ["completed"])
        }
    }

    /// Lets the database itself note how many jobs of a tenant run or are about to, at each change.
    private static func watch(_ test: TestQueue) async throws {
        try await test.database.write(.durable) { connection in
            try connection.execute("CREATE TABLE seen (tenant TEXT, active BIGINT)", [])
            for change in ["INSERT", "UPDATE OF state"] {
                try connection.execute(
                    """
                    CREATE TRIGGER seen_\(change.prefix(6)) AFTER \(change) ON jobs BEGIN
                        INSERT INTO seen SELECT new.tenant, COUNT(*) FROM jobs
                        WHERE tenant = new.tenant AND state IN ('dispatched', 'running');
                    END
                    """,
                    []
                )
            }
        }
    }

    @Test func `a tenant with a cap has none of its jobs dispatched by its submits`() async throws {
        try await withTestQueue({ $0.share = .init(runningMax: 2) }) { test in
            for id: JobID in ["a", "b", "c"] { try await test.submit(id) }
            #expect(try await test.stream() == [])
            try await test.queue.dispatcher.pass(isTick: false)
            #expect(try await test.stream() == ["a", "b"])
            let lease = try #require(try await test.claim(1).first)
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["b"])
            try await test.finish(lease)
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["b", "c"])
        }
    }

    @Test func `a job that is put off or given back makes room under the cap`() async throws {
        try await withTestQueue({ $0.share = .init(runningMax: 1) }) { test in
            for id: JobID in ["a", "b"] { try await test.submit(id) }
            try await test.queue.dispatcher.pass(isTick: true)
            let lease = try #require(try await test.claim().first)
            let failure = JobFailure(code: "x", message: "x", retryable: true)
            try await test.queue.retry(lease, after: .seconds(60), failure)
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["b"])
        }
    }
}
