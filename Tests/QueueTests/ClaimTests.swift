import Domain
import Redis
import Store
import Testing
import TestSupport

@testable import Queue

@Suite(.serialized, .timeLimit(.minutes(3)))
struct ClaimTests {
    @Test func `a claim is a lease with a new epoch, and settles its entries`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c")
            test.clock.advance(by: .milliseconds(5))
            let lease = try #require(try await test.claim().first)
            #expect(lease.id == "a")
            #expect(lease.epoch == TestClock.start.milliseconds + 5)
            #expect(lease.job.attempt == 1)
            #expect(try await test.jobs() == ["a running head 1/1/0"])
            #expect(try await test.stream() == [])
            #expect(try await test.pending() == 0)
            #expect(try await test.dialog("c") == ["user: Question of a"])
        }
    }

    @Test func `an entry that is there twice gives one lease, and both are settled`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            _ = try await test.redis.send(RedisCommand("XADD", "t:jobs:default", "*", "job", "a"))
            #expect(try await test.stream() == ["a", "a"])
            #expect(try await test.claim().map(\.id) == ["a"])
            #expect(try await test.stream() == [])
            #expect(try await test.pending() == 0)
            #expect(try await test.jobs() == ["a running head 1/1/0"])
        }
    }

    @Test func `an entry of a job that is running, ended or unknown gives no lease`() async throws {
        try await withTestQueue { test in
            for id: JobID in ["ended", "running"] { try await test.submit(id) }
            let leases = try await test.claim()
            try await test.finish(leases[0])
            let before = try await test.jobs()
            for id in ["ended", "running", "unknown"] {
                _ = try await test.redis.send(RedisCommand("XADD", "t:jobs:default", "*", "job", .string(id)))
            }
            #expect(try await test.claim(by: "w2").isEmpty)
            #expect(try await test.stream() == [])
            #expect(try await test.jobs() == before)
        }
    }

    @Test func `two workers that read the same entries share the jobs`() async throws {
        try await withTestQueue { test in
            for id: JobID in ["a", "b"] { try await test.submit(id) }
            let entries = try await test.read()
            async let one = test.queue.claim(entries, by: "w1")
            async let two = test.queue.claim(entries, by: "w2")
            let leases = try await (one, two)
            #expect((leases.0 + leases.1).map(\.id).sorted() == ["a", "b"])
        }
    }

    @Test func `what a worker read and never claimed goes to another`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            #expect(try await test.read(by: "dead").map(\.job) == ["a"])
            #expect(try await test.pending() == 1)
            #expect(try await test.read(by: "w2").isEmpty)
            #expect(try await test.queue.streams.reclaim(for: "w2", idle: .seconds(60), limit: 10).isEmpty)
            let entries = try await test.queue.streams.reclaim(for: "w2", idle: .zero, limit: 10)
            #expect(entries.map(\.job) == ["a"])
            #expect(try await test.queue.claim(entries, by: "w2").map(\.id) == ["a"])
            #expect(try await test.stream() == [])
            #expect(try await test.pending() == 0)
        }
    }

    @Test func `streams that Redis lost are made anew, and nothing on them is skipped`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            _ = try await test.redis.send(RedisCommand("FLUSHALL"))
            let error = await #expect(throws: RedisError.self) { try await test.read() }
            #expect(error?.message.hasPrefix("NOGROUP") == true)
            // The dispatcher puts the job on a stream without a group; the group begins at its first entry.
            test.clock.advance(by: .seconds(11))
            try await test.queue.dispatcher.pass(isTick: true)
            try await test.queue.streams.createGroups()
            try await test.queue.streams.createGroups()
            #expect(try await test.claim().map(\.id) == ["a"])
        }
    }

    @Test func `streams are read by priority, or the other way round`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 10 }) { test in
            for priority in [JobPriority.low, .high, .default] {
                try await test.submit(JobID(rawValue: priority.name), priority: priority)
            }
            #expect(try await test.read(by: "w1").map(\.job) == ["high", "default", "low"])
            let entries = try await test.queue.streams.reclaim(for: "w1", idle: .zero, limit: 10)
            try await test.queue.streams.settle(entries)
            for priority in [JobPriority.low, .high] {
                try await test.submit(JobID(rawValue: "\(priority.name) again"), priority: priority)
            }
            #expect(try await test.read(by: "w1", lowFirst: true).map(\.job) == ["low again", "high again"])
        }
    }

    @Test func `a worker that leaves stays a consumer only while it has entries`() async throws {
        try await withTestQueue { test in
            func consumers() async throws -> Int {
                let reply = try await test.redis.send(
                    RedisCommand("XINFO", "CONSUMERS", "t:jobs:default", "workers")
                )
                return reply.array?.count ?? -1
            }
            try await test.submit("a")
            let entries = try await test.read(by: "w1")
            try await test.queue.streams.leave("w1")
            #expect(try await consumers() == 1)
            try await test.queue.streams.settle(entries)
            try await test.queue.streams.leave("w1")
            #expect(try await consumers() == 0)
        }
    }

    @Test func `a lease holds until another epoch has the job`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            #expect(await test.queue.holds(lease))
            test.clock.advance(by: .seconds(21))
            await test.reaper.pass()
            #expect(await !test.queue.holds(lease))
        }
    }

    @Test func `what a worker has no slot for goes back, and is dispatched anew at once`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 10 }) { test in
            for id: JobID in ["a", "b", "c"] { try await test.submit(id) }
            let leases = try await test.queue.claim(try await test.read(), by: "w1", atMost: 1)
            #expect(leases.map(\.id) == ["a"])
            #expect(
                try await test.jobs() == ["a running head 1/1/0", "b queued head 0/0/0", "c queued head 0/0/0"]
            )
            #expect(try await test.stream() == [])
            #expect(try await test.pending() == 0)
            try await test.queue.dispatcher.pass(isTick: false)
            #expect(try await test.claim(by: "w2").map(\.id) == ["b", "c"])
            #expect(try await test.jobs().allSatisfy { $0.hasSuffix("running head 1/1/0") })
        }
    }

    @Test func `without a slot nothing is claimed and all goes back`() async throws {
        try await withTestQueue { test in
            for id: JobID in ["a", "b"] { try await test.submit(id) }
            #expect(try await test.queue.claim(try await test.read(), by: "w1", atMost: 0).isEmpty)
            #expect(try await test.jobs() == ["a queued head 0/0/0", "b queued head 0/0/0"])
        }
    }
}
