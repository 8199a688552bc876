import Domain
import Events
import Queue
import Redis
import Store
import Testing
import TestSupport
import Worker

/// Workers that are told by others to end.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct DrainTests {
    @Test(arguments: [true, false])
    func `a worker that is told to drain ends what runs, takes nothing new and leaves`(
        _ isByChannel: Bool
    ) async throws {
        // By the channel the order is there long before the next heartbeat.
        try await withWorkBench({ $0.heartbeat = isByChannel ? .seconds(6) : .milliseconds(100) }) { bench in
            bench.model.script("hello", [.gate("go"), .say("Done")])
            let id = try await bench.submit("hello")
            try await bench.withWorker { worker in
                try await bench.job(id, is: .running)
                let name = worker.worker.id
                if isByChannel {
                    try await eventually(within: .seconds(30), "the worker listens") {
                        let reply = try await bench.redis.send(RedisCommand("PUBSUB", "NUMSUB", "t:control"))
                        return reply.array?.last?.int == 1
                    }
                    #expect(try await worker.queue.drain(name))
                } else {
                    // Nobody publishes it: only the row says so.
                    #expect(try await bench.database.write(.durable) { try Workers($0).requestDrain(name) })
                }
                let begun = ContinuousClock.now
                try await eventually(within: .seconds(30), "it reads no more") {
                    try await bench.isIdle(name)
                }
                if isByChannel { #expect(begun.duration(to: .now) < .seconds(5)) }
                let late = try await bench.submit("late", on: worker.queue)
                bench.model.open("go")
                try await worker.task.value
                #expect(try await bench.job(id).state == .completed)
                #expect(try await bench.job(late).claims == 0)
                #expect(try await bench.workers().isEmpty)
            }
        }
    }

    @Test func `an order to another worker is not obeyed`() async throws {
        try await withWorkBench { bench in
            try await bench.withWorker { one in
                try await bench.withWorker { other in
                    let id = one.worker.id
                    try await eventually(within: .seconds(30), "both are there") {
                        try await bench.workers().count == 2
                    }
                    #expect(try await other.queue.drain(id))
                    try await one.task.value
                    let job = try await bench.submit("hello", on: other.queue)
                    try await bench.job(job, is: .completed)
                    #expect(try await bench.job(job).workerID == other.worker.id)
                    #expect(try await bench.workers() == [other.worker.id])
                }
            }
        }
    }
}

extension WorkBench {
    /// Whether no connection of a worker's waits for a job any more.
    func isIdle(_ worker: WorkerID) async throws -> Bool {
        let clients = try await self.redis.send(RedisCommand("CLIENT", "LIST")).string ?? ""
        return !clients.contains("cmd=xreadgroup")
    }
}
