import Domain
import Synchronization
import TestSupport
import Testing

/// Workers that are replaced one after the other while people chat.
@Suite(.serialized, .timeLimit(.minutes(4)))
struct RollingRestartTests {
    /// An answer of a second, and ten messages in one.
    private static let prompt = "[[tokens=50 delay=20ms]]"
    private static let answer = tokens(50)
    private static let pace = Duration.milliseconds(100)
    private static let workers = 3

    @Test func `all workers are restarted twice under load and nobody notices`() async throws {
        try await withFleet(hasRedis: true) { fleet in
            let jobs = try await Self.restart(fleet, rounds: 2)
            #expect(jobs.count > 30)
            for job in jobs { #expect(job.count(of: .truncate) == 0, "\(job.jobID)") }
        }
    }

    @Test func `workers that give back what they run cost no job an attempt`() async throws {
        try await withFleet(hasRedis: true, variables: ["PENGUIN_SHUTDOWN_GRACE": "0.2"]) { fleet in
            let jobs = try await Self.restart(fleet, rounds: 1)
            #expect(jobs.contains { $0.count(of: .truncate) > 0 }, "no job was given back in its middle")
        }
    }

    @Test func `a worker that is drained over HTTP finishes what it runs and ends, and another goes on`() async throws {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            let first = try await fleet.startWorker(seenBy: web)
            try await web.chat { chat in
                let job = try await chat.say("[[tokens=200 delay=10ms]]")
                try await chat.wait(for: job) { $0.text.contains("tok20 ") }
                let second = try await fleet.startWorker(seenBy: web)
                let id = try await web.workerID(of: first)
                let reply = try await web.change("POST", "/queue/workers/\(id)/drain")
                #expect(reply.status == 202, "\(reply.text)")
                let next = try await chat.say(Self.prompt)
                try await chat.end(of: next).expect(Self.answer)
                try await chat.end(of: job).expect(tokens(200))
                #expect(try await first.waitForExit(within: .seconds(60)) == 0)
                #expect(second.exitCode == nil)
                for job in [job, next] { try await Self.expectOneAttempt(of: job, at: web) }
                #expect(try await web.liveWorkers() == 1)
            }
        }
    }

    /// Restarts three workers in turn while messages come in, and returns what a client has seen of each job.
    private static func restart(_ fleet: Fleet, rounds: Int) async throws -> [ChatTranscript] {
        let web = try await fleet.startWeb("--workers", "0")
        var workers: [PenguinProcess] = []
        for _ in 0..<Self.workers { workers.append(try await fleet.startWorker(seenBy: web)) }
        return try await web.chat { chat in
            let isOver = Mutex(false)
            async let load = Self.submit(on: chat) { isOver.withLock { $0 } }
            for turn in 0..<Self.workers * rounds {
                let worker = workers.removeFirst()
                worker.terminate()
                #expect(try await worker.waitForExit(within: .seconds(60)) == 0, "restart \(turn)")
                workers.append(try await fleet.startWorker(seenBy: web))
            }
            isOver.withLock { $0 = true }
            var ended: [ChatTranscript] = []
            for job in try await load {
                let end = try await chat.end(of: job, within: .seconds(60))
                end.expect(Self.answer)
                try await Self.expectOneAttempt(of: job, at: web)
                ended.append(end)
            }
            return ended
        }
    }

    private static func submit(on chat: ChatProbe, until isOver: () -> Bool) async throws -> [JobID] {
        var jobs: [JobID] = []
        while !isOver() {
            jobs.append(try await chat.say(Self.prompt))
            await dawdle(for: Self.pace)
        }
        return jobs
    }

    private static func expectOneAttempt(of id: JobID, at web: WebServer) async throws {
        let job = try await web.job(id, is: .completed)
        #expect(job["attempt"] == .integer(1), "\(id)")
        #expect(job["lost"] == .integer(0), "\(id)")
        #expect(job["failures"] == .integer(0), "\(id)")
    }
}
