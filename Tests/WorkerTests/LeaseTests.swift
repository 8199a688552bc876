import Domain
import Events
import Foundation
import LLM
import Queue
import Redis
import ServiceLifecycle
import Store
import Testing
import TestSupport
import Worker

@Suite(.serialized, .timeLimit(.minutes(3)))
struct LeaseTests {
    @Test func `a drained worker gives its jobs back, uncounted, and leaves no trace`() async throws {
        try await withWorkBench { bench in
            bench.model.script("hello", [.say("Begun"), .hang], [.say("Done")])
            let id = try await bench.submit("hello", in: "c")
            try await bench.withWorker(grace: .milliseconds(50)) { worker in
                try await eventually(within: .seconds(30), "the text is in the log") {
                    try await bench.text(id) == "Begun"
                }
                #expect(try await bench.consumers() == 1)
                try await worker.drain()
                let job = try await bench.job(id)
                #expect(job.attempt == 0)
                #expect(job.claims == 1)
                #expect(job.lost == 0)
                #expect([.queued, .dispatched].contains(job.state))
                #expect(try await bench.workers().isEmpty)
            }
            #expect(try await bench.consumers() == 0)
            _ = try await bench.withWorker { _ in try await bench.job(id, is: .completed) }
            #expect(try await bench.dialog("c") == ["user: hello", "assistant: Done"])
            #expect(try await bench.job(id).attempt == 1)
            let frames = try await bench.frames(id)
            let truncate = try #require(frames.first { $0.type == .truncate })
            #expect(try truncate.data(as: EventData.Truncate.self).to == .start)
            #expect(try await bench.text(id) == "BegunDone")
        }
    }

    @Test func `a drained worker lets running jobs end within its grace, and takes no new ones`() async throws {
        try await withWorkBench { bench in
            bench.model.script("hello", [.gate("go"), .say("Done")])
            let id = try await bench.submit("hello")
            try await bench.withWorker { worker in
                try await bench.job(id, is: .running)
                await worker.group.triggerGracefulShutdown()
                try await eventually(within: .seconds(30), "the worker drains") {
                    try await bench.database.read { connection in
                        try Workers(connection).live(within: .seconds(60)).allSatisfy(\.draining)
                    }
                }
                let late = try await bench.submit("late", on: worker.queue)
                bench.model.open("go")
                try await worker.task.value
                #expect(try await bench.job(id).state == .completed)
                #expect(try await bench.job(late).attempt == 0)
            }
        }
    }

    @Test func `a worker whose row is gone gives up its runs, and others finish them`() async throws {
        try await withWorkBench { bench in
            bench.model.script("hello", [.say("Begun"), .hang], [.say("Done")])
            let id = try await bench.submit("hello", in: "c")
            try await bench.withWorker { worker in
                try await eventually(within: .seconds(30), "the text is in the log") {
                    try await bench.text(id) == "Begun"
                }
                let worker = worker.worker.id
                try await bench.database.write(.relaxed) { try Workers($0).remove(worker) }
                let job = try await bench.job(id, is: .completed)
                #expect(job.lost == 1)
                #expect(job.attempt == 2)
                #expect(try await bench.dialog("c") == ["user: hello", "assistant: Done"])
                #expect(try await bench.workers() == [worker])
            }
        }
    }

    @Test func `a worker that cannot beat gives up its runs in time, and nothing stays behind`() async throws {
        try await withWorkBench({
            $0.lease = .seconds(2)
            $0.heartbeat = .milliseconds(100)
        }) { bench in
            bench.model.script("hello", [.say("Begun"), .hang], [.say("Done")])
            let id = try await bench.submit("hello", in: "c")
            try await bench.withWorker { _ in
                try await eventually(within: .seconds(30), "the text is in the log") {
                    try await bench.text(id) == "Begun"
                }
                let block = try await DatabaseBlock(bench.file)
                // Two thirds of the lease, and not the database's own patience of five seconds.
                try await eventually(within: .seconds(4), "the run is given up") { bench.model.live == 0 }
                try await block.end()
                try await bench.job(id, is: .completed)
                #expect(try await bench.dialog("c") == ["user: hello", "assistant: Done"])
                #expect(try await bench.types(id).filter(\.isTerminal) == [.complete])
            }
        }
    }

    @Test func `after a lost lease the text is taken back, and what is in the journal is not asked again`() async throws
    {
        try await withWorkBench { bench in
            let call = ToolCall(id: "call_1", name: "look", arguments: "{}")
            bench.model.script("hello", [.say("Done")])
            let id = try await bench.submit("hello", in: "c")
            let queue = bench.queue()
            let entries = try await queue.streams.read(
                1,
                for: "dead",
                waiting: .seconds(1),
                lowFirst: false,
                on: bench.redis
            )
            let lease = try #require(try await queue.claim(entries, by: "dead").first)
            let covers = try await Self.write(["Let me look.", "Half a second tu"], of: lease, on: bench)
            // The turn as the engine keeps it: text and the call it made.
            let calls = try JSON.text([call])
            let usage = try JSON.text(TokenUsage(promptTokens: 3))
            let turn = #"{"text":"Let me look.","reasoning":"","tool_calls":\#(calls),"usage":\#(usage)}"#
            let step = Step(
                index: 0,
                kind: .modelTurn,
                state: .done,
                result: turn,
                usage: TokenUsage(promptTokens: 3),
                covers: covers
            )
            try await queue.record(step, under: lease)
            try await bench.withWorker { _ in
                let job = try await bench.job(id, is: .completed)
                #expect(job.lost == 1)
                #expect(job.attempt == 2)
            }
            #expect(bench.model.asked.count == 1)
            #expect(bench.model.asked.first?.contains { $0.toolCalls.contains(call) } == true)
            let reply = try await bench.reply(id)
            #expect(reply.response == "Done")
            #expect(reply.iterations == 2)
            #expect(reply.usage.promptTokens == 3)
            let frames = try await bench.frames(id)
            let truncate = try #require(frames.first { $0.type == .truncate })
            #expect(try truncate.data(as: EventData.Truncate.self).to == covers)
            #expect(frames.filter { $0.type.isTerminal }.count == 1)
        }
    }

    /// Writes the texts as the events of a lease, each an iteration; returns where the first ended.
    private static func write(_ texts: [String], of lease: Lease, on bench: WorkBench) async throws -> EventID {
        let writer = LogWriter(
            job: lease.id,
            epoch: lease.epoch,
            log: bench.log,
            start: try lease.job.startFrame(),
            isNew: true,
            logger: quietLogger
        ) { true }
        async let isOurs = writer.run()
        var ends: [EventID] = []
        for (index, text) in texts.enumerated() {
            writer.add(EventData.Iteration(jobID: lease.id, iteration: index + 1, maxIterations: 5), as: .progress)
            await writer.add(text, as: .token)
            ends.append(await writer.flush(within: .seconds(10)))
        }
        _ = writer.close()
        #expect(await isOurs)
        return try #require(ends.first)
    }

    @Test func `a Redis that loses everything loses no job, and answers come whole`() async throws {
        try await withWorkBench({ $0.redispatchAfter = .milliseconds(300) }) { bench in
            bench.model.script("running", [.say("Before and "), .gate("go"), .say("after")])
            let queue = bench.queue()
            let running = try await bench.submit("running", on: queue)
            try await bench.withWorker(slots: 1) { _ in
                try await eventually(within: .seconds(30), "the text is in the log") {
                    try await !bench.text(running).isEmpty
                }
                let waiting = try await bench.submit("waiting", on: queue)
                _ = try await bench.redis.send(RedisCommand("FLUSHALL"))
                bench.model.open("go")
                try await bench.job(running, is: .completed)
                try await bench.job(waiting, is: .completed)
                #expect(try await bench.reply(running).response == "Before and after")
                #expect(try await bench.types(running).last == .complete)
                #expect(try await bench.reply(waiting).response == "Answer to waiting")
            }
        }
    }

    @Test func `a journal that cannot be written does not leave the job behind`() async throws {
        try await withWorkBench { bench in
            bench.model.script("hello", [.gate("go"), .say("Done")])
            let id = try await bench.submit("hello", in: "c")
            try await bench.withWorker { _ in
                try await eventually(within: .seconds(30), "the model is asked") { bench.model.live == 1 }
                let block = try await DatabaseBlock(bench.file)
                bench.model.open("go")
                // Longer than the database's patience, so that the journal's write fails; shorter than the lease.
                try await eventually(within: .seconds(30), "the run has ended") { bench.model.live == 0 }
                try await eventually(within: .seconds(30), "the database has refused a write") {
                    block.hasOutlasted(.milliseconds(5500))
                }
                try await block.end()
                try await bench.job(id, is: .completed, within: .seconds(30))
                #expect(try await bench.dialog("c") == ["user: hello", "assistant: Done"])
            }
        }
    }
}
