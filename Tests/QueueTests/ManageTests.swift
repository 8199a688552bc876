import Domain
import Events
import Foundation
import Redis
import Store
import Synchronization
import Testing
import TestSupport

@testable import Queue

/// Pause, redrive, delete, drain, and what is removed by age.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ManageTests {
    // MARK: Pause

    @Test func `once paused nothing new begins, and what runs goes on`() async throws {
        try await withTestQueue { test in
            try await test.submit("running", lane: "c")
            let lease = try #require(try await test.claim().first)
            try await test.submit("dispatched")
            try await test.queue.setPaused(true)
            try await test.submit("late")
            for _ in 0..<2 { try await test.queue.dispatcher.pass(isTick: true) }
            // Its entry is still there and comes to nothing.
            #expect(try await test.stream() == ["dispatched"])
            #expect(try await test.claim(by: "w2").isEmpty)
            try await test.finish(lease)
            try await test.submit("next", lane: "c")
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(
                try await test.jobs() == [
                    "running completed head 1/1/0 announced", "dispatched queued head 0/0/0", "late queued head 0/0/0",
                    "next queued head 0/0/0",
                ]
            )
            try await test.queue.setPaused(false)
            try await test.queue.dispatcher.pass(isTick: false)
            #expect(try await test.stream() == ["dispatched", "late", "next"])
        }
    }

    @Test func `a pause is everybody's, and outlives the process that made it`() async throws {
        try await withTestQueue { test in
            try await test.withOtherProcess { try await $0.setPaused(true) }
            try await test.submit("a")
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == [])
            try await test.withOtherProcess { try await $0.setPaused(false) }
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["a"])
        }
    }

    // MARK: Redrive

    @Test func `a dead job that is put back has a new life: a new log, one end, an answer of its own`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c")
            let first = try #require(try await test.claim().first)
            try await test.begin(first)
            let partial = Message(id: "a.answer", role: .assistant, content: "half", timestamp: .now)
            let failure = JobFailure(code: "provider_timeout", message: "Too slow.", retryable: true)
            try await test.queue.finish(
                first,
                Ending(state: .dead, failure: failure, messages: [partial]),
                terminalAt: EventID(epoch: first.epoch, sequence: 1)
            )
            #expect(try await test.events("a") == ["0-1 start", "+0-0 token", "+0-1 error"])
            test.clock.advance(by: .seconds(1))
            #expect(try await test.queue.redrive("a", of: .default))
            #expect(try await test.jobs() == ["a queued head 0/0/0"])
            #expect(try await test.events("a") == [])
            try await test.queue.dispatcher.pass(isTick: true)
            let lease = try #require(try await test.claim().first)
            #expect(lease.job.redrives == 1)
            let payload = try JSON.decode(ChatPayload.self, from: lease.job.payload)
            #expect(lease.job.answerID(payload) == "a.answer.1")
            let start = try lease.job.startFrame().data(as: EventData.Start.self)
            #expect(start.messageID == "a.answer.1")
            try await test.begin(lease)
            let answer = Message(id: lease.job.answerID(payload), role: .assistant, content: "all", timestamp: .now)
            try await test.queue.finish(
                lease,
                Ending(state: .completed, result: "{}", messages: [answer]),
                terminalAt: EventID(epoch: lease.epoch, sequence: 1)
            )
            #expect(try await test.events("a") == ["0-1 start", "+1001-0 token", "+1001-1 complete"])
            #expect(try await test.dialog("c") == ["user: Question of a", "assistant: half", "assistant: all"])
            // Reapers find nothing to add.
            test.clock.advance(by: .seconds(60))
            await test.reaper.pass()
            #expect(try await test.events("a").count == 3)
        }
    }

    @Test func `the worker of the earlier life can say nothing in the new one`() async throws {
        try await withTestQueue({ $0.retries.lostMax = 0 }) { test in
            try await test.submit("a")
            let old = try #require(try await test.claim().first)
            try await test.begin(old)
            test.clock.advance(by: .seconds(21))
            await test.reaper.pass()
            #expect(try await test.job("a").state == .dead)
            #expect(try await test.queue.redrive("a", of: .default))
            let late = EventFrame(id: EventID(epoch: old.epoch, sequence: 9), type: .token, text: "l", jobID: "a")
            #expect(try await test.log.append([late], to: "a") == .logMissing)
            #expect(await !test.queue.holds(old))
            await #expect(throws: QueueError.self) { try await test.finish(old) }
            try await test.queue.dispatcher.pass(isTick: true)
            let new = try #require(try await test.claim(by: "w2").first)
            try await test.begin(new)
            await #expect(throws: EventsError.self) { _ = try await test.log.append([late], to: "a") }
            #expect(try await test.events("a") == ["0-1 start", "+21002-0 token"])
        }
    }

    @Test func `only failed and dead jobs are put back, and only their owner's`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 10 }) { test in
            for id: JobID in ["done", "failed", "running"] { try await test.submit(id, tenant: "one") }
            let leases = try await test.claim()
            try await test.finish(leases[0])
            try await test.finish(leases[1], .failed)
            for id: JobID in ["done", "running"] { #expect(try await !test.queue.redrive(id, of: "one")) }
            for (id, tenant): (JobID, TenantID) in [("failed", "two"), ("none", "one")] {
                let error = await #expect(throws: QueueError.self) { try await test.queue.redrive(id, of: tenant) }
                #expect(error?.code == .notFound)
            }
            #expect(try await test.queue.redrive("failed", of: "one"))
            #expect(try await !test.queue.redrive("failed", of: "one"))
        }
    }

    @Test func `a job that is put back goes behind what its lane has meanwhile`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c")
            try await test.finish(try #require(try await test.claim().first), .failed)
            try await test.submit("b", lane: "c")
            #expect(try await test.queue.redrive("a", of: .default))
            #expect(try await test.jobs() == ["a queued 0/0/0", "b dispatched head 0/0/0"])
            try await test.finish(try #require(try await test.claim().first))
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["a"])
        }
    }

    // MARK: Delete

    @Test func `an ended job is deleted with its steps and its log, an open one is not`() async throws {
        try await withTestQueue { test in
            for id: JobID in ["a", "b"] { try await test.submit(id) }
            let leases = try await test.claim()
            let step = Step(index: 0, kind: .modelTurn, state: .done, result: "{}", usage: nil, covers: .start)
            try await test.queue.record(step, under: leases[0])
            #expect(try await !test.queue.delete("a", of: .default))
            for lease in leases { try await test.finish(lease) }
            let error = await #expect(throws: QueueError.self) { try await test.queue.delete("a", of: "two") }
            #expect(error?.code == .notFound)
            #expect(try await test.queue.delete("a", of: .default))
            #expect(try await test.jobs() == ["b completed head 1/1/0 announced"])
            #expect(try await test.texts("SELECT job_id FROM steps") == [])
            #expect(try await test.timeToLive("a") == -2)
            #expect(try await test.timeToLive("b") > 0)
        }
    }

    // MARK: Janitor

    @Test func `what ended long ago is removed, the rest and all messages stay`() async throws {
        try await withTestQueue({ $0.retention = .seconds(100) }) { test in
            let janitor = Janitor(queue: test.queue, logger: quietLogger)
            try await test.submit("old", lane: "c")
            try await test.finish(try #require(try await test.claim().first))
            test.clock.advance(by: .seconds(50))
            try await test.submit("young", lane: "c")
            try await test.finish(try #require(try await test.claim().first))
            try await test.submit("open", lane: "c")
            test.clock.advance(by: .seconds(50))
            #expect(try await janitor.pass() == 0)
            test.clock.advance(by: .milliseconds(1))
            #expect(try await janitor.pass() == 1)
            #expect(
                try await test.jobs() == ["young completed head 1/1/0 announced", "open dispatched head 0/0/0"]
            )
            #expect(try await test.dialog("c").first == "user: Question of old")
        }
    }

    @Test func `more than one batch is removed in one round`() async throws {
        try await withTestQueue({ $0.retention = .seconds(100) }) { test in
            try await test.database.write(.durable) { connection in
                for index in 0..<1201 {
                    _ = try Ledger(connection).submit(
                        NewJob(id: JobID(rawValue: "j\(index)"), kind: .noop, tenant: .default, payload: "{}"),
                        hasRoom: false
                    )
                }
                try connection.execute(
                    "UPDATE jobs SET state = 'completed', finished_at = created_at, announced = 1",
                    []
                )
            }
            test.clock.advance(by: .seconds(101))
            #expect(try await Janitor(queue: test.queue, logger: quietLogger).pass() == 1201)
            #expect(try await test.jobs().isEmpty)
        }
    }

    // MARK: Drain

    @Test func `a worker is told to drain by the control channel and by its heartbeat`() async throws {
        try await withTestQueue { test in
            let told = Mutex<[WorkerOrder]>([])
            let subscription = try await test.queue.listenForOrders(on: test.subscriber) { order in
                told.withLock { $0.append(order) }
            }
            for worker: WorkerID in ["w1", "w2"] { try await test.register(worker) }
            #expect(try await test.queue.drain("w1"))
            #expect(try await !test.queue.drain("nobody"))
            try await eventually(within: .seconds(30), "it is told") { told.withLock { $0 } == [.drain("w1")] }
            #expect(try await test.beat("w1") == WorkerOrders(cancel: [], drain: true))
            #expect(try await test.beat("w2") == WorkerOrders(cancel: [], drain: false))
            subscription.cancel()
        }
    }

    @Test(arguments: ["", "cancel", "cancel a b", "drain", "stop a", "nonsense"])
    func `what is no order is none`(_ text: String) {
        #expect(WorkerOrder(text) == nil)
    }

    @Test(arguments: [WorkerOrder.cancel("job_1"), .drain("worker_1")])
    func `an order is read as it was written`(_ order: WorkerOrder) {
        #expect(WorkerOrder(order.text) == order)
    }

    @Test func `consumers that read nothing any more are removed, one with something pending stays`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            #expect(try await test.read(by: "pending").count == 1)
            #expect(try await test.read(by: "idle").isEmpty)
            try await eventually(within: .seconds(20), "only the pending one is left") {
                try await test.queue.streams.forgetConsumers(idle: .milliseconds(1))
                let reply = try await test.redis.send(RedisCommand("XINFO", "CONSUMERS", "t:jobs:default", "workers"))
                return (reply.array ?? []).compactMap { $0.array?[1].string } == ["pending"]
            }
        }
    }
}
