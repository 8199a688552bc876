import Domain
import Redis
import Store
import Testing
import TestSupport

@testable import Queue

@Suite(.serialized, .timeLimit(.minutes(3)))
struct DispatchTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let sizeMin: Int
        let slots: Int
        let drained: Int
        let dispatched: Int
        let room: Int
        var testDescription: String {
            "min \(self.sizeMin), slots \(self.slots), drained \(self.drained), dispatched \(self.dispatched)"
        }
    }

    @Test(arguments: [
        Case(sizeMin: 4, slots: 0, drained: 0, dispatched: 0, room: 4),
        Case(sizeMin: 4, slots: 0, drained: 0, dispatched: 4, room: 0),
        Case(sizeMin: 4, slots: 0, drained: 0, dispatched: 9, room: 0),
        Case(sizeMin: 4, slots: 8, drained: 0, dispatched: 1, room: 3),
        Case(sizeMin: 4, slots: 64, drained: 0, dispatched: 0, room: 32),
        Case(sizeMin: 4, slots: 64, drained: 100, dispatched: 40, room: 60),
        Case(sizeMin: 50, slots: 64, drained: 7, dispatched: 0, room: 50),
    ])
    func `the window is the largest of minimum, half the slots and what was drained`(_ given: Case) {
        var window = DispatchWindow(sizeMin: given.sizeMin)
        window.update(QueueLoad(dispatched: given.dispatched, slots: given.slots), drainedRecently: given.drained)
        #expect(window.room == given.room)
    }

    @Test func `places are taken one by one and given back`() {
        var window = DispatchWindow(sizeMin: 2)
        let taken = [window.reserve(), window.reserve(), window.reserve()]
        window.free(1)
        let after = [window.reserve(), window.reserve()]
        #expect(taken == [true, true, false])
        #expect(after == [true, false])
        window.free(100)
        #expect(window.room == 2)
    }

    @Test func `two hundred jobs go through the window in order, never more than it holds`() async throws {
        try await withTestQueue { test in
            for index in 0..<200 {
                try await test.submit(JobID(rawValue: "j\(index)"))
                test.clock.advance(by: .milliseconds(1))
            }
            var claimed: [String] = []
            while claimed.count < 200 {
                // Without a registered worker, and without a pass, the window is its minimum.
                #expect(try await test.stream().count <= max(4, claimed.count))
                let entries = try await test.read(3)
                let leases = try await test.queue.claim(entries, by: "w1")
                claimed += leases.map(\.id.rawValue)
                for lease in leases { try await test.finish(lease) }
                try await test.queue.dispatcher.pass(isTick: false)
            }
            #expect(claimed == (0..<200).map { "j\($0)" })
            #expect(try await test.stream().isEmpty)
            #expect(try await test.pending() == 0)
        }
    }

    @Test func `a full window stays full while nothing is claimed`() async throws {
        try await withTestQueue { test in
            for index in 0..<20 { try await test.submit(JobID(rawValue: "j\(index)")) }
            for _ in 0..<3 { try await test.queue.dispatcher.pass(isTick: true) }
            #expect(try await test.stream().count == 4)
        }
    }

    @Test func `urgent jobs are dispatched before older ones`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 1 }) { test in
            try await test.submit("first")
            for (id, priority) in [("low", JobPriority.low), ("default", .default), ("high", .high)] {
                try await test.submit(JobID(rawValue: id), priority: priority)
                test.clock.advance(by: .milliseconds(1))
            }
            var order: [String] = []
            for _ in 0..<4 {
                for lease in try await test.queue.claim(try await test.read(), by: "w1") {
                    order.append(lease.id.rawValue)
                    try await test.finish(lease)
                }
                try await test.queue.dispatcher.pass(isTick: false)
            }
            #expect(order == ["first", "high", "default", "low"])
        }
    }

    @Test func `what nobody claims goes on its stream again, and only then`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            _ = try await test.redis.send(RedisCommand("FLUSHALL"))
            test.clock.advance(by: .seconds(9))
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == [])
            test.clock.advance(by: .seconds(2))
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["a"])
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["a"])
            #expect(try await test.jobs() == ["a dispatched head 0/0/0"])
        }
    }

    @Test func `a dispatcher that runs takes up what is queued and what becomes free`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 1 }) { test in
            async let _ = test.queue.dispatcher.run()
            for id: JobID in ["a", "b", "c"] { try await test.submit(id) }
            var done: [String] = []
            while done.count < 3 {
                try await eventually(within: .seconds(30), "a job is on the stream") {
                    try await !test.stream().isEmpty
                }
                for lease in try await test.claim() {
                    done.append(lease.id.rawValue)
                    try await test.finish(lease)
                }
            }
            #expect(done.sorted() == ["a", "b", "c"])
        }
    }

    @Test func `an entry that no group delivers any more keeps its job from nobody for long while slots are free`()
        async throws
    {
        try await withTestQueue { test in
            try await test.register("w1")
            try await test.submit("a")
            #expect(try await test.read(by: "w1").count == 1)
            _ = try await test.redis.send(RedisCommand("XGROUP", "DELCONSUMER", "t:jobs:default", "workers", "w1"))
            test.clock.advance(by: .seconds(11))
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["a"])
            test.clock.advance(by: .seconds(60))
            try await test.register("w2")
            try await test.queue.dispatcher.pass(isTick: true)
            #expect(try await test.stream() == ["a", "a"])
            #expect(try await test.claim(by: "w2").map(\.id) == ["a"])
        }
    }
}
