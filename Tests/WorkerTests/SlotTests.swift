import Domain
import LLM
import Queue
import Redis
import Testing
import TestSupport

@Suite(.serialized, .timeLimit(.minutes(3)))
struct SlotTests {
    @Test(arguments: [1, 2, 4])
    func `never more jobs run than there are slots, of whatever priority`(_ slots: Int) async throws {
        try await withWorkBench({ $0.dispatchWindowMin = 50 }) { bench in
            let queue = bench.queue()
            var jobs: [JobID] = []
            for priority in JobPriority.allCases {
                for index in 0..<4 {
                    let text = "\(priority.name) \(index)"
                    bench.model.script(text, [.gate("go"), .say("done")])
                    jobs.append(try await bench.submit(text, priority: priority, on: queue))
                }
            }
            try await bench.withWorker(slots: slots) { _ in
                try await eventually(within: .seconds(30), "the slots are taken") { bench.model.live == slots }
                bench.model.open("go")
                for job in jobs { try await bench.job(job, is: .completed) }
                #expect(bench.model.liveMax == slots)
            }
        }
    }

    @Test func `entries taken over from a dead reader wait for a slot too`() async throws {
        try await withWorkBench({
            $0.dispatchWindowMin = 50
            $0.reclaimIdle = .milliseconds(200)
        }) { bench in
            let queue = bench.queue()
            var jobs: [JobID] = []
            for index in 0..<6 {
                bench.model.script("m\(index)", [.gate("go"), .say("done")])
                jobs.append(try await bench.submit("m\(index)", on: queue))
            }
            let read = try await queue.streams.read(
                10,
                for: "dead",
                waiting: .milliseconds(1),
                lowFirst: false,
                on: bench.redis
            )
            #expect(read.count == 6)
            try await bench.withWorker(slots: 2) { _ in
                try await eventually(within: .seconds(30), "the slots are taken") { bench.model.live >= 2 }
                bench.model.open("go")
                for job in jobs { try await bench.job(job, is: .completed) }
                #expect(bench.model.liveMax == 2)
            }
        }
    }

    @Test func `ten messages of one conversation are answered one at a time, in order, by two workers`() async throws {
        try await withWorkBench { bench in
            let queue = bench.queue()
            var jobs: [JobID] = []
            try await bench.withWorker { _ in
                try await bench.withWorker { _ in
                    for index in 0..<10 { jobs.append(try await bench.submit("m\(index)", in: "c", on: queue)) }
                    for job in jobs { try await bench.job(job, is: .completed) }
                }
            }
            #expect(
                try await bench.dialog("c") == (0..<10).flatMap { ["user: m\($0)", "assistant: Answer to m\($0)"] }
            )
            #expect(bench.model.askedMessages == (0..<10).map { "m\($0)" })
            #expect(bench.model.liveMaxOfOne == 1)
            // Each prompt has the whole conversation before it.
            #expect(bench.model.asked.map { $0.count { $0.role != .system } } == (0..<10).map { $0 * 2 + 1 })
        }
    }

    @Test func `many conversations on two workers lose and double nothing`() async throws {
        try await withWorkBench { bench in
            let queue = bench.queue()
            var jobs: [JobID] = []
            try await bench.withWorker(slots: 8) { _ in
                try await bench.withWorker(slots: 8) { _ in
                    for index in 0..<60 {
                        let conversation = ConversationID(rawValue: "c\(index % 12)")
                        jobs.append(try await bench.submit("m\(index)", in: conversation, on: queue))
                    }
                    for job in jobs { try await bench.job(job, is: .completed) }
                }
            }
            #expect(bench.model.askedMessages.sorted() == (0..<60).map { "m\($0)" }.sorted())
            for conversation in 0..<12 {
                let expected = stride(from: conversation, to: 60, by: 12)
                    .flatMap { ["user: m\($0)", "assistant: Answer to m\($0)"] }
                #expect(try await bench.dialog(ConversationID(rawValue: "c\(conversation)")) == expected)
            }
            #expect(try await bench.redis.send(RedisCommand("XLEN", "t:jobs:default")).int == 0)
        }
    }
}
