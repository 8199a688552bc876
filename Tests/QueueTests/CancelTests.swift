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
            let queued = try await test.queue.cancel("b", of: .default)
            #expect(queued == .cancelled(announceAt: EventID(epoch: TestClock.start.milliseconds, sequence: 0)))
            #expect(
                try await test.jobs()
                    == ["a dispatched head 0/0/0", "b cancelled 0/0/0 announced", "d queued 0/0/0"]
            )
            _ = try await test.queue.cancel("a", of: .default)
            #expect(
                try await test.jobs() == [
                    "a cancelled head 0/0/0 announced", "b cancelled 0/0/0 announced", "d queued head 0/0/0",
                ]
            )
            for id: JobID in ["a", "b"] { #expect(try await test.events(id) == ["0-1 start", "+0-0 cancelled"]) }
            // Its entry on the stream is harmless.
            #expect(try await test.claim().isEmpty)
            try await test.queue.dispatcher.pass(isTick: false)
            #expect(try await test.claim().map(\.id) == ["d"])
        }
    }

    @Test func `a running job is asked to end, by the control channel and by the heartbeat`() async throws {
        try await withTestQueue { test in
            let told = Mutex<[JobID]>([])
            let subscription = try await test.queue.listenForCancels(on: test.subscriber) { id in
                told.withLock { $0.append(id) }
            }
            try await test.submit("a")
            try await test.claim()
            #expect(try await test.queue.cancel("a", of: .default) == .requested)
            try await eventually(within: .seconds(30), "the worker is told") { told.withLock { $0 } == ["a"] }
            let cancels = try await test.database.write(.relaxed) { connection in
                try Workers(connection).beat("w1", running: 1, draining: false)
            }
            #expect(cancels == ["a"])
            #expect(try await test.jobs() == ["a running head 1/1/0"])
            #expect(try await test.events("a") == ["0-1 start"])
            subscription.cancel()
        }
    }

    @Test func `an ended job stays as it ended`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            try await test.finish(try #require(try await test.claim().first))
            #expect(try await test.queue.cancel("a", of: .default) == .alreadyEnded(.completed))
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
            _ = try await test.queue.cancel("a", of: .default)
            test.clock.advance(by: .seconds(15))
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a running head 1/1/0", "b queued 0/0/0"])
            test.clock.advance(by: .milliseconds(1))
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a cancelled head 1/1/0 announced", "b queued head 0/0/0"])
            #expect(try await test.events("a") == ["0-1 start", "+15001-0 cancelled"])
            let error = await #expect(throws: QueueError.self) { try await test.finish(lease) }
            #expect(error?.code == .fenced)
            let late = EventFrame(
                id: EventID(epoch: lease.epoch, sequence: 5),
                type: .token,
                text: "late",
                jobID: "a"
            )
            await #expect(throws: EventsError.self) { _ = try await test.log.append([late], to: "a") }
            #expect(try await test.events("a").count == 2)
        }
    }

    @Test func `reapers that shut out the same workers at once do not disturb each other`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 20 }) { test in
            for index in 0..<20 { try await test.submit(JobID(rawValue: "j\(index)")) }
            for lease in try await test.claim() { _ = try await test.queue.cancel(lease.id, of: .default) }
            test.clock.advance(by: .seconds(16))
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 { group.addTask { await test.reaper.pass() } }
                try await group.waitForAll()
            }
            #expect(try await test.jobs().allSatisfy { $0.hasSuffix("cancelled head 1/1/0 announced") })
            for index in 0..<20 {
                #expect(try await test.events(JobID(rawValue: "j\(index)")) == ["0-1 start", "+16000-0 cancelled"])
            }
        }
    }

    @Test func `a job that was cancelled while its worker died ends as cancelled`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            try await test.claim()
            _ = try await test.queue.cancel("a", of: .default)
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
}
