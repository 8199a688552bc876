import Domain
import Events
import Redis
import Store
import Synchronization
import Testing
import TestSupport

@testable import Queue

@Suite(.serialized, .timeLimit(.minutes(3)))
struct CancelTests {
    @Test func `a queued or dispatched job is cancelled in the call, and its lane goes on`() async throws {
        try await withTestQueue { test in
            for id: JobID in ["a", "b", "d"] { try await test.submit(id, lane: "c") }
            #expect(try await test.cancel("b") == ["ended b at +0-0"])
            #expect(
                try await test.jobs()
                    == ["a dispatched head 0/0/0", "b cancelled 0/0/0 announced", "d queued 0/0/0"]
            )
            #expect(try await test.cancel("a") == ["ended a at +0-0"])
            #expect(
                try await test.jobs() == [
                    "a cancelled head 0/0/0 announced", "b cancelled 0/0/0 announced", "d queued head 0/0/0",
                ]
            )
            // Nobody has begun their logs: followers have the end from the ledger.
            for id: JobID in ["a", "b"] { #expect(try await test.events(id) == []) }
            // Its entry on the stream is harmless.
            #expect(try await test.claim().isEmpty)
            try await test.queue.dispatcher.pass(isTick: false)
            #expect(try await test.claim().map(\.id) == ["d"])
        }
    }

    @Test func `a job that was asked to end and lost its worker is ended by a reaper, whatever it had lost before`()
        async throws
    {
        try await withTestQueue({ $0.retries.lostMax = 0 }) { test in
            try await test.submit("a", lane: "c")
            _ = try #require(try await test.claim().first)
            #expect(try await test.cancel("a") == ["requested a"])
            test.clock.advance(by: .seconds(21))
            await test.reaper.pass()
            #expect(try await test.job("a").state == .cancelled)
            #expect(try await test.events("a").last?.hasSuffix("cancelled") == true)
        }
    }

    @Test func `with Redis away cancels are answered at once`() async throws {
        try await withTestQueue { test in
            for index in 0..<20 { try await test.submit(JobID(rawValue: "j\(index)"), lane: "c") }
            try await test.server.kill()
            try await eventually(within: .seconds(20), "Redis is missed") { !test.redis.isConnected }
            let began = ContinuousClock.now
            for index in 0..<20 { _ = try await test.cancel(JobID(rawValue: "j\(index)")) }
            // Each would wait for the command timeout of 30 s.
            #expect(began.duration(to: .now) < .seconds(20))
            #expect(try await test.job("j19").state == .cancelled)
        }
    }

    @Test func `a running job is asked to end, by the control channel and by the heartbeat`() async throws {
        try await withTestQueue { test in
            let told = Mutex<[JobID]>([])
            let subscription = try await test.queue.listenForOrders(on: test.subscriber) { order in
                if case .cancel(let id) = order { told.withLock { $0.append(id) } }
            }
            try await test.submit("a")
            try await test.begin(try #require(try await test.claim().first))
            #expect(try await test.cancel("a") == ["requested a"])
            try await eventually(within: .seconds(30), "the worker is told") { told.withLock { $0 } == ["a"] }
            #expect(try await test.beat("w1") == WorkerOrders(cancel: ["a"], drain: false))
            #expect(try await test.jobs() == ["a running head 1/1/0"])
            #expect(try await test.events("a") == ["0-1 start", "+0-0 token"])
            subscription.cancel()
        }
    }

    @Test func `an ended job stays as it ended`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            try await test.finish(try #require(try await test.claim().first))
            #expect(try await test.cancel("a") == ["already completed"])
            #expect(try await test.jobs() == ["a completed head 1/1/0 announced"])
            #expect(try await test.events("a") == ["0-1 start", "+0-0 complete"])
        }
    }

    @Test func `a job of nobody or of somebody else is not found`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", tenant: "one")
            for (id, tenant): (JobID, TenantID) in [("a", "two"), ("b", "one")] {
                let error = await #expect(throws: QueueError.self) { _ = try await test.queue.cancel(id, of: tenant) }
                #expect(error?.code == .notFound)
            }
            #expect(try await test.jobs() == ["a dispatched head 0/0/0"])
        }
    }

    @Test func `a worker that does not end a cancelled job is shut out of it`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c")
            try await test.submit("b", lane: "c")
            let lease = try #require(try await test.claim().first)
            try await test.begin(lease)
            try await test.cancel("a")
            test.clock.advance(by: .seconds(15))
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a running head 1/1/0", "b queued 0/0/0"])
            test.clock.advance(by: .milliseconds(1))
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a cancelled head 1/1/0 announced", "b queued head 0/0/0"])
            #expect(try await test.events("a") == ["0-1 start", "+0-0 token", "+15001-0 cancelled"])
            let error = await #expect(throws: QueueError.self) { try await test.finish(lease) }
            #expect(error?.code == .fenced)
            let late = EventFrame(
                id: EventID(epoch: lease.epoch, sequence: 5),
                type: .token,
                text: "late",
                jobID: "a"
            )
            await #expect(throws: EventsError.self) { _ = try await test.log.append([late], to: "a") }
            #expect(try await test.events("a").count == 3)
        }
    }

    @Test func `reapers that shut out the same workers at once do not disturb each other`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 20 }) { test in
            for index in 0..<20 { try await test.submit(JobID(rawValue: "j\(index)")) }
            for lease in try await test.claim() {
                try await test.begin(lease)
                try await test.cancel(lease.id)
            }
            test.clock.advance(by: .seconds(16))
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 { group.addTask { await test.reaper.pass() } }
                try await group.waitForAll()
            }
            #expect(try await test.jobs().allSatisfy { $0.hasSuffix("cancelled head 1/1/0 announced") })
            for index in 0..<20 {
                let events = try await test.events(JobID(rawValue: "j\(index)"))
                #expect(events == ["0-1 start", "+0-0 token", "+16000-0 cancelled"])
            }
        }
    }

    @Test func `a job that was cancelled while its worker died ends as cancelled`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            try await test.begin(try #require(try await test.claim().first))
            try await test.cancel("a")
            test.clock.advance(by: .seconds(21))
            // One pass requeues the lost job or ends it; either way nobody runs it to an answer.
            await test.reaper.pass()
            try await test.queue.dispatcher.pass(isTick: false)
            try await test.claim(by: "w2")
            await test.reaper.pass()
            #expect(try await test.job("a").state == .cancelled)
            #expect(try await test.log.last(of: "a")?.type == .cancelled)
        }
    }

    @Test func `a worker that is shut out before it has begun the log can begin none any more`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            try await test.cancel("a")
            test.clock.advance(by: .seconds(16))
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a cancelled head 1/1/0 announced"])
            #expect(try await !test.writes("late", under: lease))
            #expect(try await test.events("a") == ["0-1 start", "+16000-0 cancelled"])
            #expect(try await test.timeToLive("a") > 0)
        }
    }

    @Test func `that holds too when the one who shut it out died before he told it`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            try await test.database.write(.durable) { connection in
                let ledger = Ledger(connection)
                guard let job = try ledger.job("a") else { return }
                _ = try ledger.end(job, Ending(state: .cancelled, stopReason: .cancelled))
            }
            test.clock.advance(by: .seconds(6))
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a cancelled head 1/1/0 announced"])
            #expect(try await !test.writes("late", under: lease))
            #expect(try await test.log.last(of: "a")?.type == .cancelled)
        }
    }

    @Test func `after a cancel that ended a job no event follows, though its old worker keeps writing`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            let writer = try test.writer(for: lease)
            async let isOurs = writer.run()
            await writer.add("before", as: .token)
            await writer.flush(within: .seconds(30))
            // Another process takes the job back and cancels it while its worker, deaf and blind, goes on.
            test.clock.advance(by: .seconds(21))
            await test.reaper.pass()
            #expect(try await test.cancel("a") == ["ended a at +21001-0"])
            let atTheEnd = try await test.events("a")
            #expect(atTheEnd == ["0-1 start", "+0-0 token", "+21000-0 attempt", "+21001-0 cancelled"])
            for index in 0..<50 { await writer.add("late \(index) ", as: .token) }
            await writer.flush(within: .seconds(30))
            #expect(await !isOurs)
            #expect(try await test.events("a") == atTheEnd)
            await #expect(throws: QueueError.self) { try await test.finish(lease) }
            for _ in 0..<2 {
                test.clock.advance(by: .seconds(60))
                await test.reaper.pass()
            }
            #expect(try await test.events("a") == atTheEnd)
            #expect(try await test.jobs() == ["a cancelled head 1/1/1 announced"])
        }
    }

    @Test func `a cancel that came while it ran ends a job that is given back`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c")
            try await test.submit("b", lane: "c")
            let lease = try #require(try await test.claim().first)
            try await test.begin(lease)
            try await test.cancel("a")
            try await test.queue.release(lease)
            #expect(try await test.jobs() == ["a cancelled head 0/1/0 announced", "b queued head 0/0/0"])
            #expect(try await test.events("a") == ["0-1 start", "+0-0 token", "+1-0 cancelled"])
        }
    }
}
