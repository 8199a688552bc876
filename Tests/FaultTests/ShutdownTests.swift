import Domain
import Foundation
import TestSupport
import Testing

/// Processes that are told to end, or are put to sleep.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ShutdownTests {
    private static let prompt = "[[tokens=200 delay=10ms]]"
    private static let answer = tokens(200)

    @Test func `a server told to end lets the running answer end first`() async throws {
        try await withFleet { fleet in
            let first = try await fleet.startWeb()
            let seen = try await Self.beginAnswer(at: first) { first.process.terminate() }
            #expect(try await first.process.waitForExit() == 0)
            let second = try await fleet.startWeb()
            #expect(try await second.history(of: "end") == [.user(Self.prompt), .assistant(Self.answer)])
            try await second.follow(seen).expect(Self.answer)
            #expect(try await second.job(seen.jobID)["attempt"] == .integer(1))
        }
    }

    @Test func `an answer that does not end within the grace goes back and costs no attempt`() async throws {
        try await withFleet(variables: ["PENGUIN_SHUTDOWN_GRACE": "0.3"]) { fleet in
            let first = try await fleet.startWeb()
            let seen = try await Self.beginAnswer(at: first) { first.process.terminate() }
            #expect(try await first.process.waitForExit(within: .seconds(8)) == 0)
            try await Self.expectWhole(after: seen, fleet)
        }
    }

    @Test func `a second signal ends the server at once and the answer goes back`() async throws {
        try await withFleet(variables: ["PENGUIN_SHUTDOWN_GRACE": "60"]) { fleet in
            let first = try await fleet.startWeb()
            let seen = try await Self.beginAnswer(at: first, prompt: "[[tokens=200 delay=10ms hang=100 times=1]]") {
                first.process.terminate()
            }
            // It waits for the answer, which does not go on.
            #expect(first.process.exitCode == nil)
            first.process.terminate()
            #expect(try await first.process.waitForExit(within: .seconds(5)) == 0)
            try await Self.expectWhole(after: seen, fleet)
        }
    }

    @Test func `a worker told to end lets its answer end and another goes on`() async throws {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            let first = try await fleet.startWorker(seenBy: web)
            try await web.chat { chat in
                let job = try await chat.say(Self.prompt, in: "end")
                try await chat.wait(for: job) { $0.text.contains("tok20 ") }
                _ = try await fleet.startWorker(seenBy: web)
                first.terminate()
                let next = try await chat.say("[[tokens=5]]")
                try await chat.end(of: next, within: .seconds(5)).expect(tokens(5))
                try await chat.end(of: job).expect(Self.answer)
                #expect(try await web.job(job)["attempt"] == .integer(1))
            }
            #expect(try await first.waitForExit() == 0)
        }
    }

    @Test func `a worker that slept beyond its lease changes nothing any more`() async throws {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            let sleeper = try await fleet.startWorker(seenBy: web)
            let id = try await web.chat { chat in
                let job = try await chat.say(Self.prompt, in: "sleep")
                try await chat.wait(for: job) { $0.text.contains("tok50 ") }
                _ = try await fleet.startWorker(seenBy: web)
                sleeper.pause()
                let end = try await chat.end(of: job)
                end.expect(Self.answer)
                sleeper.resume()
                try await eventually(within: .seconds(10), "the sleeper has given up") {
                    sleeper.errors.contains("given up")
                }
                // It works again, and by now has done what it will ever do about the job.
                try await eventually(within: .seconds(10), "the sleeper is back") { try await web.liveWorkers() == 2 }
                #expect(chat.transcript(of: job).faults == [])
                return job
            }
            let log = try await web.http().get("/api/v1/jobs/\(id)/events").text
            let events = log.split(separator: "\n").filter { $0.hasPrefix("event: ") }
            #expect(events.last == "event: complete")
            #expect(events.count { $0 == "event: complete" } == 1)
            #expect(try await web.history(of: "sleep") == [.user(Self.prompt), .assistant(Self.answer)])
            let job = try await web.job(id)
            #expect(job["state"]?.string == "completed")
            #expect(job["attempt"] == .integer(2))
        }
    }

    @Test func `a worker that gave up its jobs and beats again keeps none of them from being answered`() async throws {
        let patience = ["PENGUIN_LEASE_SECONDS": "6"]
        try await withFleet(hasRedis: true, variables: patience) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            let worker = try await fleet.startWorker(seenBy: web)
            try await web.chat { chat in
                let job = try await chat.say(Self.prompt, in: "sleep")
                try await chat.wait(for: job) { $0.text.contains("tok50 ") }
                worker.pause()
                // Between two thirds of the lease, when it gives up, and the whole, when others may take its jobs.
                let asleep = ContinuousClock.now
                try await eventually(within: .seconds(10), "the worker slept") {
                    asleep.duration(to: .now) > .seconds(4.5)
                }
                worker.resume()
                try await chat.end(of: job).expect(Self.answer)
            }
            #expect(worker.errors.contains("given up"))
        }
    }

    /// Starts an answer on a socket, and calls `then` in its middle.
    private static func beginAnswer(
        at web: WebServer,
        prompt: String = Self.prompt,
        then: () async throws -> Void
    ) async throws -> ChatTranscript {
        try await web.chat { chat in
            let job = try await chat.say(prompt, in: "end")
            try await chat.wait(for: job) { $0.text.contains("tok30 ") }
            try await then()
            let code = try await chat.closeCode(within: .seconds(15))
            #expect([1001, 1012].contains(code) || chat.transcript(of: job).terminal != nil, "closed with \(code)")
            return chat.transcript(of: job)
        }
    }

    private static func expectWhole(after seen: ChatTranscript, _ fleet: Fleet) async throws {
        let second = try await fleet.startWeb()
        try await second.follow(seen).expect(Self.answer)
        try await second.follow(ChatTranscript(seen.jobID)).expect(Self.answer)
        let history = try await second.history(of: "end")
        #expect(history.map(\.role) == ["user", "assistant"])
        #expect(history.last?.text == Self.answer)
        let job = try await second.job(seen.jobID)
        #expect(job["attempt"] == .integer(1))
        #expect(job["lost"] == .integer(0))
    }
}
