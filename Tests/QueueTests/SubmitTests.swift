import Domain
import Redis
import Store
import Synchronization
import Testing
import TestSupport

@testable import Queue

@Suite(.serialized, .timeLimit(.minutes(3)))
struct SubmitTests {
    @Test func `a job of an idle lane is on disk and on its stream, its log for the worker to make`() async throws {
        try await withTestQueue { test in
            let accepted = try await test.submit("a")
            #expect(accepted.jobID == "a")
            #expect(!accepted.isReplay)
            #expect(try await test.jobs() == ["a dispatched head 0/0/0"])
            #expect(try await test.events("a") == [])
            #expect(try await test.stream() == ["a"])
        }
    }

    @Test func `a job behind another of its lane waits in the ledger`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c")
            try await test.submit("b", lane: "c")
            #expect(try await test.jobs() == ["a dispatched head 0/0/0", "b queued 0/0/0"])
            #expect(try await test.stream() == ["a"])
        }
    }

    @Test func `one lane's name of two tenants is two lanes`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c", tenant: "one")
            try await test.submit("b", lane: "c", tenant: "two")
            #expect(try await test.jobs() == ["a dispatched head 0/0/0", "b dispatched head 0/0/0"])
        }
    }

    @Test func `beyond the window a job waits in the ledger though its lane is idle`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 2 }) { test in
            for id: JobID in ["a", "b", "c"] { try await test.submit(id) }
            #expect(
                try await test.jobs()
                    == ["a dispatched head 0/0/0", "b dispatched head 0/0/0", "c queued head 0/0/0"]
            )
            #expect(try await test.stream() == ["a", "b"])
        }
    }

    @Test func `a job that is queued behind its lane takes no place in the window`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 2 }) { test in
            try await test.submit("a", lane: "c")
            for id: JobID in ["b", "d"] { try await test.submit(id, lane: "c") }
            try await test.submit("e")
            #expect(try await test.stream() == ["a", "e"])
        }
    }

    @Test func `each priority has its stream`() async throws {
        try await withTestQueue { test in
            for priority in JobPriority.allCases {
                try await test.submit(JobID(rawValue: priority.name), priority: priority)
            }
            for priority in JobPriority.allCases { #expect(try await test.stream(priority) == [priority.name]) }
        }
    }

    @Test func `a follower attaches when the job is on disk and not dispatched yet`() async throws {
        try await withTestQueue { test in
            let seen = Mutex<[String]>([])
            try await test.submit("a") {
                let jobs = (try? await test.jobs()) ?? []
                let stream = (try? await test.stream()) ?? ["?"]
                seen.withLock { $0 = jobs + stream }
            }
            #expect(seen.withLock { $0 } == ["a dispatched head 0/0/0"])
            #expect(try await test.stream() == ["a"])
        }
    }

    @Test func `what the preparation throws refuses the job, and its place is free again`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 1 }) { test in
            let job = try test.newJob("a")
            let error = await #expect(throws: QueueError.self) {
                try await test.queue.submit(job) { _ in
                    throw StoreError(.notFound, "no such agent")
                } attach: { _ in
                }
            }
            #expect(error?.code == .notFound)
            #expect(try await test.jobs().isEmpty)
            #expect(try await test.stream().isEmpty)
            try await test.submit("b")
            #expect(try await test.stream() == ["b"])
        }
    }

    @Test func `with Redis away a job is accepted, and dispatched when Redis is back`() async throws {
        try await withTestQueue(commandTimeout: .seconds(2)) { test in
            try await test.server.kill()
            try await test.submit("a", lane: "c")
            try await test.submit("b", lane: "c")
            #expect(try await test.jobs() == ["a dispatched head 0/0/0", "b queued 0/0/0"])
            try await test.server.restart()
            try await eventually(within: .seconds(30), "Redis answers") { (try? await test.stream()) == [] }
            test.clock.advance(by: .seconds(11))
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["a"])
            let lease = try #require(try await test.claim().first)
            try await test.finish(lease)
            try await test.queue.dispatcher.pass(isTick: false)
            #expect(try await test.stream() == ["b"])
        }
    }

    @Test func `a Redis that throws away keys is refused, in words that help`() async throws {
        try await withTestQueue { test in
            try await test.queue.checkRedis()
            _ = try await test.redis.send(RedisCommand("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"))
            let error = await #expect(throws: QueueError.self) { try await test.queue.checkRedis() }
            #expect(error?.code == .unsuitable)
            #expect(error?.message.contains("noeviction") == true)
            #expect(error?.message.contains("allkeys-lru") == true)
        }
    }
}
