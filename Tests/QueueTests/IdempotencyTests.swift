import Domain
import Store
import Synchronization
import Testing
import TestSupport

@testable import Queue

@Suite(.serialized, .timeLimit(.minutes(3)))
struct IdempotencyTests {
    private static func key(_ key: String = "k", _ hash: String = "h") -> NewJob.Idempotency {
        NewJob.Idempotency(key: key, bodyHash: hash)
    }

    @Test func `the same request again is the first one's job, and prepares nothing`() async throws {
        try await withTestQueue { test in
            let first = try await test.submit("a", idempotency: Self.key())
            #expect(first.jobID == "a" && !first.isReplay)
            var again = try test.newJob("b")
            again.idempotency = Self.key()
            let isPrepared = Mutex(false)
            let attached = Mutex<[JobID]>([])
            let replay = try await test.queue.submit(again) { _ in
                isPrepared.withLock { $0 = true }
            } attach: { id in
                attached.withLock { $0.append(id) }
                return "attached"
            }
            #expect(replay.jobID == "a" && replay.isReplay)
            #expect(replay.attachment == "attached")
            #expect(attached.withLock { $0 } == ["a"])
            #expect(!isPrepared.withLock { $0 })
            #expect(try await test.jobs() == ["a dispatched head 0/0/0"])
            #expect(try await test.stream() == ["a"])
        }
    }

    @Test func `a replay of an ended job is that job, and a place it reserved is free again`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 1 }) { test in
            try await test.submit("a", idempotency: Self.key())
            try await test.finish(try #require(try await test.claim().first))
            for id: JobID in ["b", "c", "d"] {
                #expect(try await test.submit(id, idempotency: Self.key()).jobID == "a")
            }
            try await test.submit("e")
            #expect(try await test.stream() == ["e"])
        }
    }

    @Test func `the key with another body is refused, another tenant's or another key is another job`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", idempotency: Self.key())
            let error = await #expect(throws: QueueError.self) {
                try await test.submit("b", idempotency: Self.key("k", "other"))
            }
            #expect(error?.code == .keyReused)
            #expect(try await !test.submit("c", tenant: "two", idempotency: Self.key()).isReplay)
            #expect(try await !test.submit("d", idempotency: Self.key("k2")).isReplay)
            #expect(try await test.jobs().count == 3)
        }
    }

    @Test func `after a day the key is free`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", idempotency: Self.key())
            test.clock.advance(by: .seconds(24 * 3600 - 1))
            #expect(try await test.submit("b", idempotency: Self.key()).isReplay)
            test.clock.advance(by: .seconds(1))
            #expect(try await test.submit("c", idempotency: Self.key("k", "other")).jobID == "c")
        }
    }

    @Test func `of the same request many times at once one makes a job`() async throws {
        try await withTestQueue { test in
            let accepted = try await withThrowingTaskGroup(of: Accepted<Void>.self) { group in
                for index in 0..<20 {
                    group.addTask { try await test.submit(JobID(rawValue: "j\(index)"), idempotency: Self.key()) }
                }
                return try await group.reduce(into: [Accepted<Void>]()) { $0.append($1) }
            }
            #expect(Set(accepted.map(\.jobID)).count == 1)
            #expect(accepted.count { !$0.isReplay } == 1)
            #expect(try await test.jobs().count == 1)
        }
    }

    @Test func `a lane has room for so many open jobs, other lanes are not concerned`() async throws {
        try await withTestQueue({ $0.laneMax = 2 }) { test in
            try await test.submit("a", lane: "c")
            try await test.submit("b", lane: "c", idempotency: Self.key())
            let error = await #expect(throws: QueueError.self) { try await test.submit("d", lane: "c") }
            #expect(error?.code == .tooMany)
            #expect(error?.message == "2 messages of this conversation wait already, which is the most.")
            let wait = try #require(error?.retryAfter)
            #expect(wait >= .seconds(1) && wait <= .seconds(60))
            try await test.submit("e", lane: "d")
            // A replay finds its job, however full the lane is.
            #expect(try await test.submit("f", lane: "c", idempotency: Self.key()).jobID == "b")
            try await test.finish(try #require(try await test.claim(1).first))
            try await test.submit("d", lane: "c")
            #expect(try await test.jobs().filter { $0.contains("queued") }.count == 2)
        }
    }
}
