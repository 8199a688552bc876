import Domain
import Events
import NIOCore
import Redis
import Store
import Testing
import TestSupport

@testable import Queue

@Suite(.serialized, .timeLimit(.minutes(3)))
struct EndTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let state: JobState
        let event: EventType
        var testDescription: String { self.state.rawValue }
    }

    @Test(arguments: [
        Case(state: .completed, event: .complete), Case(state: .failed, event: .error),
        Case(state: .cancelled, event: .cancelled), Case(state: .dead, event: .error),
    ])
    func `an end is a row, one terminal event in a log that expires, and the lane's next job`(
        _ given: Case
    ) async throws {
        try await withTestQueue({ $0.logTTL = .seconds(77) }) { test in
            try await test.submit("a", lane: "c")
            try await test.submit("b", lane: "c")
            let lease = try #require(try await test.claim().first)
            try await test.finish(lease, given.state)
            #expect(try await test.jobs() == ["a \(given.state.rawValue) head 1/1/0 announced", "b queued head 0/0/0"])
            #expect(try await test.events("a") == ["0-1 start", "+0-0 \(given.event.rawValue)"])
            #expect((1...77_000).contains(try await test.timeToLive("a")))
            #expect(try await test.timeToLive("b") == -2)
            try await test.queue.dispatcher.pass(isTick: false)
            #expect(try await test.stream() == ["b"])
        }
    }

    @Test func `the terminal event tells what the row tells`() async throws {
        try await withTestQueue { test in
            for id: JobID in ["good", "bad"] { try await test.submit(id) }
            let leases = try await test.claim()
            try await test.finish(leases[0])
            try await test.finish(leases[1], .failed)
            let good = try #require(try await test.log.last(of: "good"))
            #expect(String(buffer: good.bytes).contains(#""data":{"response":"yes"}"#))
            let bad = try #require(try await test.log.last(of: "bad"))
            #expect(
                String(buffer: bad.bytes).hasSuffix(
                    #""data":{"code":"provider_timeout","job_id":"bad","message":"Too slow.","retryable":true}}"#
                )
            )
        }
    }

    @Test func `an end under a lease that is gone changes nothing`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            test.clock.advance(by: .seconds(21))
            await test.reaper.pass()
            let before = (try await test.jobs(), try await test.events("a"))
            let error = await #expect(throws: QueueError.self) { try await test.finish(lease) }
            #expect(error?.code == .fenced)
            #expect(try await test.jobs() == before.0)
            #expect(try await test.events("a") == before.1)
        }
    }

    @Test func `a job that is given back is at the head of its lane, its attempt not counted`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c")
            try await test.submit("b", lane: "c")
            let lease = try #require(try await test.claim().first)
            try await test.queue.release(lease)
            #expect(try await test.jobs() == ["a queued head 0/1/0", "b queued 0/0/0"])
            try await test.queue.dispatcher.pass(isTick: false)
            let again = try #require(try await test.claim(by: "w2").first)
            #expect(again.id == "a")
            #expect(again.epoch > lease.epoch)
            #expect(try await test.jobs() == ["a running head 1/2/0", "b queued 0/0/0"])
            #expect(try await test.dialog("c") == ["user: Question of a"])
            await #expect(throws: QueueError.self) { try await test.queue.release(lease) }
        }
    }

    @Test func `a crash between commit and event is made good once, by however many reapers`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            try await test.begin(lease)
            try await test.database.write(.durable) { connection in
                try Ledger(connection).finish("a", epoch: lease.epoch, TestQueue.ending(.completed))
            }
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a completed head 1/1/0"])
            test.clock.advance(by: .seconds(6))
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 { group.addTask { await test.reaper.pass() } }
                try await group.waitForAll()
            }
            #expect(try await test.jobs() == ["a completed head 1/1/0 announced"])
            let events = try await test.log.entries(of: "a", after: .zero, limit: 10)
            // What shuts the worker out may stand before the end.
            #expect(events.map(\.type).filter { $0 != .attempt } == [.start, .token, .complete])
            #expect(events.last?.type == .complete)
            #expect(try await test.timeToLive("a") > 0)
        }
    }

    @Test func `a worker that comes with its terminal event after a reaper is refused`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            try await test.begin(lease)
            try await test.database.write(.durable) { connection in
                try Ledger(connection).finish("a", epoch: lease.epoch, TestQueue.ending(.completed))
            }
            test.clock.advance(by: .seconds(6))
            await test.reaper.pass()
            // The worker counted events that never came into the log, so its own id is higher.
            await test.queue.announce(try await test.job("a"), at: EventID(epoch: lease.epoch, sequence: 40))
            let types = try await test.log.entries(of: "a", after: .zero, limit: 10).map(\.type)
            #expect(types == [.start, .token, .attempt, .complete])
        }
    }

    @Test func `a worker that tells the end just before a reaper does leaves one end, and the log shut`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            try await test.begin(lease)
            try await test.database.write(.durable) { connection in
                try Ledger(connection).finish("a", epoch: lease.epoch, TestQueue.ending(.completed))
            }
            let job = try await test.job("a")
            // The reaper has looked, then the worker comes, then the reaper goes on.
            await test.queue.announce(job, at: EventID(epoch: lease.epoch, sequence: 2))
            let told = try await test.log.seal("a", with: try job.seal())
            #expect(told?.type == .complete)
            #expect(
                try await test.log.entries(of: "a", after: .zero, limit: 9).map(\.type) == [.start, .token, .complete]
            )
            let late = EventFrame(id: EventID(epoch: lease.epoch, sequence: 3), type: .token, text: "x", jobID: "a")
            let error = await #expect(throws: EventsError.self) { try await test.log.append([late], to: "a") }
            #expect(error?.code == .fenced)
        }
    }

    @Test func `an end whose log is gone is noted as told`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            try await test.begin(lease)
            try await test.database.write(.durable) { connection in
                try Ledger(connection).finish("a", epoch: lease.epoch, TestQueue.ending(.completed))
            }
            _ = try await test.redis.send(RedisCommand("FLUSHALL"))
            test.clock.advance(by: .seconds(6))
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a completed head 1/1/0 announced"])
            #expect(try await test.events("a") == [])
        }
    }

    @Test func `an end while Redis is away is told when it is back`() async throws {
        try await withTestQueue(commandTimeout: .seconds(2)) { test in
            try await test.submit("a")
            let lease = try #require(try await test.claim().first)
            try await test.begin(lease)
            try await test.server.kill()
            try await test.finish(lease)
            #expect(try await test.jobs() == ["a completed head 1/1/0"])
            try await test.server.restart()
            try await eventually(within: .seconds(30), "Redis answers") { (try? await test.stream()) != nil }
            test.clock.advance(by: .seconds(6))
            await test.reaper.pass()
            #expect(try await test.jobs() == ["a completed head 1/1/0 announced"])
            #expect(try await test.log.last(of: "a")?.type == .complete)
        }
    }

    @Test func `the ledger's view of an ended chat is its text and its end`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c")
            let lease = try #require(try await test.claim().first)
            guard case .open(let start?) = try await test.job("a").view() else {
                Issue.record("a running job is open")
                return
            }
            #expect(try start == lease.job.startFrame())
            #expect(start.id == .start && start.type == .start)
            let reply = ChatReply(
                response: "all of it",
                actionResults: [],
                reasoning: nil,
                conversationID: "c",
                messageID: "m",
                jobID: "a",
                stopReason: .finalAnswer,
                iterations: 2,
                usage: TokenUsage(),
                agentID: .default,
                model: "m"
            )
            let ending = Ending(state: .completed, result: try JSON.text(reply), stopReason: .finalAnswer)
            try await test.finish(lease, ending)
            guard case .ended(let snapshot?, let terminal) = try await test.job("a").view() else {
                Issue.record("an ended job has a text and an end")
                return
            }
            #expect(try snapshot.data(as: EventData.Snapshot.self).text == "all of it")
            #expect(try terminal.data(as: ChatReply.self) == reply)
            #expect(snapshot.id < terminal.id)
            #expect(try #require(await test.log.last(of: "a")).id < snapshot.id)
        }
    }
}
