import Domain
import Store
import Testing
import TestSupport

@testable import Queue

/// Delayed jobs, and those that were put off.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ScheduleTests {
    private static let failure = JobFailure(code: "provider_overloaded", message: "Later.", retryable: true)

    @Test func `a delayed job waits for its time, and takes its place in its lane only then`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c", runAt: TestClock.start + .seconds(10))
            try await test.submit("b", lane: "c")
            #expect(try await test.jobs() == ["a scheduled 0/0/0", "b dispatched head 0/0/0"])
            test.clock.advance(by: .seconds(9))
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.jobs() == ["a scheduled 0/0/0", "b dispatched head 0/0/0"])
            test.clock.advance(by: .seconds(1))
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.jobs() == ["a queued 0/0/0", "b dispatched head 0/0/0"])
            try await test.finish(try #require(try await test.claim().first))
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["a"])
            #expect(try await test.dialog("c") == ["user: Question of b"])
        }
    }

    @Test func `a time that has passed is no delay`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", runAt: TestClock.start)
            #expect(try await test.jobs().map { $0.hasPrefix("a scheduled") } == [false])
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["a"])
        }
    }

    @Test func `between its ticks a dispatcher looks when the next job is due, and not before`() async throws {
        try await withTestQueue(realTime: true) { test in
            let due = Timestamp.now + .milliseconds(400)
            // Inserted by another process: this one learns of it with a tick.
            try await test.withOtherProcess { other in
                var job = try test.newJob("a")
                job.runAt = due
                job.conversationID = nil
                _ = try await other.submit(job, attach: { _ in })
            }
            try await test.queue.dispatcher.pass(isTick: true)
            try await eventually(within: .seconds(30), "it is dispatched") {
                try await test.queue.dispatcher.pass(isTick: false)
                return try await test.job("a").state == .dispatched
            }
            #expect(Timestamp.now >= due)
        }
    }

    @Test func `a job that is due sooner than the next one is not kept waiting for it`() async throws {
        try await withTestQueue(realTime: true) { test in
            try await test.submit("late", runAt: .now + .seconds(3600))
            try await test.queue.dispatcher.pass(isTick: true)
            let due = Timestamp.now + .milliseconds(300)
            try await test.submit("soon", runAt: due)
            try await eventually(within: .seconds(30), "it is dispatched") {
                try await test.queue.dispatcher.pass(isTick: false)
                return try await test.job("soon").state == .dispatched
            }
            #expect(Timestamp.now >= due)
            #expect(try await test.job("late").state == .scheduled)
        }
    }

    @Test func `a dispatcher that runs dispatches what is due, however many at once`() async throws {
        try await withTestQueue(realTime: true, { $0.dispatchWindowMin = 2000 }) { test in
            async let _ = test.queue.dispatcher.run()
            let due = Timestamp.now + .milliseconds(700)
            for index in 0..<20 { try await test.submit(JobID(rawValue: "j\(index)"), runAt: due) }
            try await eventually(within: .seconds(30), "all are on the stream") {
                let seen = try await test.stream().count
                if Timestamp.now < due { #expect(seen == 0) }
                return seen == 20
            }
        }
    }

    @Test func `a job that is put off keeps its place at the head of its lane, and holds no slot`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c")
            try await test.submit("b", lane: "c")
            let lease = try #require(try await test.claim().first)
            try await test.begin(lease)
            try await test.queue.retry(lease, after: .seconds(30), Self.failure)
            #expect(try await test.jobs() == ["a scheduled head 1/1/0", "b queued 0/0/0"])
            let job = try await test.job("a")
            #expect(job.failures == 1)
            #expect(job.failure == Self.failure)
            #expect(job.runAt == TestClock.start + .seconds(30))
            test.clock.advance(by: .seconds(29))
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == [])
            test.clock.advance(by: .seconds(1))
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["a"])
            let again = try #require(try await test.claim(by: "w2").first)
            #expect(again.epoch > lease.epoch)
            #expect(try await test.jobs() == ["a running head 2/2/0", "b queued 0/0/0"])
            #expect(try await test.dialog("c") == ["user: Question of a"])
            let error = await #expect(throws: QueueError.self) {
                try await test.queue.retry(lease, after: .seconds(1), Self.failure)
            }
            #expect(error?.code == .fenced)
        }
    }

    @Test func `a delayed job and one that is put off are cancelled in the call`() async throws {
        try await withTestQueue { test in
            try await test.submit("delayed", runAt: TestClock.start + .seconds(60))
            try await test.submit("off")
            let lease = try #require(try await test.claim().first)
            try await test.begin(lease)
            try await test.queue.retry(lease, after: .seconds(60), Self.failure)
            try await test.cancel("delayed")
            try await test.cancel("off")
            #expect(
                try await test.jobs()
                    == ["delayed cancelled 0/0/0 announced", "off cancelled head 1/1/0 announced"]
            )
            #expect(try await test.events("off") == ["0-1 start", "+0-0 token", "+1-0 cancelled"])
            test.clock.advance(by: .seconds(120))
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == [])
        }
    }

    @Test func `a cancel that came while it ran ends a job that is put off, and not when it is due`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c")
            let lease = try #require(try await test.claim().first)
            try await test.begin(lease)
            try await test.cancel("a")
            try await test.queue.retry(lease, after: .seconds(60), Self.failure)
            #expect(try await test.jobs() == ["a cancelled head 1/1/0 announced"])
            #expect(try await test.events("a") == ["0-1 start", "+0-0 token", "+1-0 cancelled"])
        }
    }
}
