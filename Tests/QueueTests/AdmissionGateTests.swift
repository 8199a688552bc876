import Domain
import Redis
import Store
import Testing
import TestSupport

@testable import Queue

/// The caps with a real ledger and a real Redis.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct AdmissionGateTests {
    /// Lets the gate look at ledger and Redis until it says what is wanted.
    private static func isRefused(_ id: JobID, tenant: TenantID = .default, by test: TestQueue) async throws
        -> QueueError?
    {
        do {
            try await test.submit(id, tenant: tenant)
            return nil
        } catch let error as QueueError {
            return error
        }
    }

    @Test func `over a tenant's cap a job is refused until there is room again, others' are not`() async throws {
        try await withTestQueue({ $0.tenantQueuedMax = 6 }) { test in
            try await test.register("w1", slots: 2)
            // Four jobs in eight seconds of slots: two seconds each.
            _ = try await test.beat("w1", running: 0, finished: 4, runTime: .seconds(8))
            async let _ = test.queue.admission.run()
            try await eventually(within: .seconds(30), "the gate is informed") {
                test.queue.admission.wait(for: 6) == .seconds(6)
            }
            for index in 0..<6 { try await test.submit(JobID(rawValue: "j\(index)"), tenant: "one") }
            let error = try #require(try await Self.isRefused("late", tenant: "one", by: test))
            #expect(error.code == .tooMany)
            #expect(error.message == "6 jobs of yours wait already, which is the most.")
            #expect(error.retryAfter == .seconds(6))
            #expect(try await test.jobs().count == 6)
            #expect(try await Self.isRefused("other", tenant: "two", by: test) == nil)
            // Once a job is claimed it does not wait any more.
            let lease = try #require(try await test.claim(1).first)
            try await eventually(within: .seconds(30), "there is room again") {
                try await Self.isRefused("late", tenant: "one", by: test) == nil
            }
            #expect(try await Self.isRefused("too late", tenant: "one", by: test)?.code == .tooMany)
            try await test.finish(lease)
        }
    }

    @Test func `what was accepted under a key is found again though the cap is reached`() async throws {
        try await withTestQueue({ $0.tenantQueuedMax = 1 }) { test in
            async let _ = test.queue.admission.run()
            let key = NewJob.Idempotency(key: "k", bodyHash: "h")
            try await test.submit("a", idempotency: key)
            try await eventually(within: .seconds(30), "the cap is reached") {
                try await Self.isRefused("other", by: test)?.code == .tooMany
            }
            let again = try await test.submit("b", idempotency: key)
            #expect(again.jobID == "a" && again.isReplay)
        }
    }

    @Test func `over the cap of all a job is refused, and the time to come back has its bounds`() async throws {
        try await withTestQueue({ $0.queuedMax = 2 }) { test in
            async let _ = test.queue.admission.run()
            for (id, tenant): (JobID, TenantID) in [("a", "one"), ("b", "two")] {
                try await test.submit(id, tenant: tenant)
            }
            try await eventually(within: .seconds(30), "the third is refused") {
                let late = JobID()
                guard let error = try await Self.isRefused(late, tenant: "three", by: test) else {
                    _ = try await test.cancel(late, of: "three")
                    return false
                }
                #expect(error.code == .tooMany)
                #expect(error.message == "2 jobs wait already, which is the most.")
                let wait = try #require(error.retryAfter)
                #expect(wait >= .seconds(1) && wait <= .seconds(60))
                return true
            }
        }
    }

    @Test func `a Redis that is nearly full takes no new job, and running ones go on`() async throws {
        try await withTestQueue { test in
            try await test.submit("running")
            let lease = try #require(try await test.claim().first)
            async let _ = test.queue.admission.run()
            // So much that what else is in Redis makes no difference.
            _ = try await test.redis.send(RedisCommand("SETRANGE", "ballast", "40000000", "x"))
            let info = try await test.redis.send(RedisCommand("INFO", "memory")).string ?? ""
            let line = try #require(info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("used_memory:") })
            let used = try #require(Int(line.dropFirst("used_memory:".count)))
            _ = try await test.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", .int(used + used / 10)))
            try await eventually(within: .seconds(30), "new jobs are refused") {
                let late = JobID()
                guard let error = try await Self.isRefused(late, by: test) else {
                    _ = try await test.cancel(late)
                    return false
                }
                #expect(error.code == .refused)
                #expect(error.message == "Redis has used more than 85 % of its memory.")
                #expect(error.retryAfter == .seconds(10))
                return true
            }
            try await test.begin(lease)
            try await test.finish(lease)
            #expect(try await test.job("running").announced)
            _ = try await test.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
            try await eventually(within: .seconds(30), "new jobs are accepted again") {
                try await Self.isRefused("again", by: test) == nil
            }
        }
    }

    @Test func `without its role a gate refuses nothing`() async throws {
        try await withTestQueue({ $0.tenantQueuedMax = 1 }) { test in
            for index in 0..<5 { try await test.submit(JobID(rawValue: "j\(index)")) }
            #expect(try await test.jobs().count == 5)
        }
    }
}
