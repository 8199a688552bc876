import Domain
import Events
import Store
import Testing
import TestSupport

@testable import Queue

@Suite(.serialized, .timeLimit(.minutes(3)))
struct ReapTests {
    private static func failure(of test: TestQueue, _ id: JobID) async throws -> JobFailure? {
        try await test.job(id).failure
    }

    @Test func `a job whose worker is silent for a lease goes back to the head of its lane`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c")
            try await test.submit("b", lane: "c")
            try await test.claim()
            test.clock.advance(by: .seconds(20))
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a running head 1/1/0", "b queued 0/0/0"])
            test.clock.advance(by: .milliseconds(1))
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a queued head 1/1/1", "b queued 0/0/0"])
            #expect(try await test.events("a") == ["0-1 start", "+20001-0 attempt"])
            try await test.queue.dispatcher.pass(isTick: false)
            #expect(try await test.claim(by: "w2").map(\.id) == ["a"])
        }
    }

    @Test func `a heartbeat keeps the lease`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            try await test.claim()
            for _ in 0..<4 {
                test.clock.advance(by: .seconds(15))
                _ = try await test.beat("w1")
                await test.reaper.pass()
            }
            #expect(try await test.jobs() == ["a running head 1/1/0"])
        }
    }

    @Test func `after the reaper the old lease can write nothing, neither log nor ledger`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            test.clock.advance(by: .seconds(21))
            await test.reaper.pass()
            let token = EventFrame(
                id: EventID(epoch: lease.epoch, sequence: 99),
                type: .token,
                text: "late",
                jobID: "a"
            )
            let refused = await #expect(throws: EventsError.self) { _ = try await test.log.append([token], to: "a") }
            #expect(refused?.code == .fenced)
            let step = Step(index: 0, kind: .modelTurn, state: .done, result: "{}", usage: nil, covers: .start)
            let unrecorded = await #expect(throws: QueueError.self) {
                try await test.queue.record(step, under: lease)
            }
            #expect(unrecorded?.code == .fenced)
            await #expect(throws: QueueError.self) { try await test.queue.release(lease) }
            #expect(try await test.events("a") == ["0-1 start", "+21000-0 attempt"])
        }
    }

    @Test func `a job that lost too many workers is dead, with an error for its followers`() async throws {
        try await withTestQueue({ $0.retries.lostMax = 1 }) { test in
            try await test.submit("a", lane: "c")
            try await test.submit("b", lane: "c")
            for _ in 0..<2 {
                try await test.claim()
                test.clock.advance(by: .seconds(21))
                await test.reaper.pass()
                try await test.queue.dispatcher.pass(isTick: false)
            }
            #expect(try await test.jobs() == ["a dead head 2/2/2 announced", "b dispatched head 0/0/0"])
            #expect(try await test.events("a") == ["0-1 start", "+21000-0 attempt", "+42000-0 error"])
            #expect(try await Self.failure(of: test, "a")?.code == "lost")
            #expect(try await test.timeToLive("a") > 0)
            #expect(try await test.stream() == ["b"])
        }
    }

    @Test func `two reapers at once take a job once`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            try await test.claim()
            test.clock.advance(by: .seconds(21))
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 { group.addTask { await test.reaper.pass() } }
                try await group.waitForAll()
            }
            #expect(try await test.jobs() == ["a queued head 1/1/1"])
            #expect(try await test.events("a") == ["0-1 start", "+21000-0 attempt"])
        }
    }

    @Test func `a lost job whose log is gone is taken all the same`() async throws {
        try await withTestQueue(commandTimeout: .seconds(2)) { test in
            try await test.submit("a")
            try await test.claim()
            try await test.server.kill()
            test.clock.advance(by: .seconds(21))
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a queued head 1/1/1"])
        }
    }

    @Test func `a lost job whose log was not begun gets one, and the old worker's first write is refused`() async throws
    {
        try await withTestQueue { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            test.clock.advance(by: .seconds(21))
            await test.reaper.pass()
            #expect(try await test.events("a") == ["0-1 start", "+21000-0 attempt"])
            #expect(try await !test.writes("late", under: lease))
            #expect(try await test.events("a") == ["0-1 start", "+21000-0 attempt"])
            // The new attempt goes on in the same log.
            try await test.queue.dispatcher.pass(isTick: true)
            let again = try #require(try await test.claim(by: "w2").first)
            #expect(try await test.writes("answer", under: again))
            #expect(try await test.events("a") == ["0-1 start", "+21000-0 attempt", "+21001-0 token"])
        }
    }

    @Test func `a job that is dead before its log was begun gets its end where nobody writes over it`() async throws {
        try await withTestQueue({ $0.retries.lostMax = 0 }) { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            test.clock.advance(by: .seconds(21))
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a dead head 1/1/1 announced"])
            #expect(try await !test.writes("late", under: lease))
            #expect(try await test.events("a") == ["0-1 start", "+21000-0 error"])
            #expect(try await test.timeToLive("a") > 0)
        }
    }
}
