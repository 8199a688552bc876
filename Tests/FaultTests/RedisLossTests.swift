import Domain
import Foundation
import TestSupport
import Testing

/// A Redis that goes away, with or without what it knew.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct RedisLossTests {
    enum Loss: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case restartWithData, restartWithoutData, flush

        var testDescription: String { self.rawValue }
    }

    private static let prompt = "[[tokens=300 delay=10ms]]"
    private static let answer = tokens(300)

    @Test(arguments: Loss.allCases)
    func `an answer survives a Redis that loses its connections or its data`(_ loss: Loss) async throws {
        try await withFleet(hasRedis: true, appendOnly: loss != .restartWithoutData) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            _ = try await fleet.startWorker(seenBy: web)
            try await web.chat { chat in
                let job = try await chat.say(Self.prompt, in: "loss")
                let seen = try await chat.wait(for: job) { $0.text.contains("tok40 ") }
                try await Self.strike(loss, fleet)
                let end = try await chat.end(of: job)
                #expect(end.problem(expecting: Self.answer) == nil)
                let late = try await web.follow(seen)
                #expect(late.problem(expecting: Self.answer) == nil)
                let whole = try await web.follow(ChatTranscript(job))
                #expect(whole.problem(expecting: Self.answer) == nil)
                // The streams that hand out jobs are there again.
                let next = try await chat.say("[[tokens=3]]", in: "loss")
                #expect(try await chat.end(of: next).problem(expecting: tokens(3)) == nil)
            }
            let history = try await web.history(of: "loss")
            #expect(history == [.user(Self.prompt), .assistant(Self.answer), .user("[[tokens=3]]"), .assistant(tokens(3))])
        }
    }

    @Test func `a message accepted while Redis is away is answered when it is back`() async throws {
        try await withFleet(hasRedis: true, appendOnly: false) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            _ = try await fleet.startWorker(seenBy: web)
            let redis = try #require(fleet.redis)
            try await redis.kill()
            let reply = try await web.http().post(
                "/api/v1/chat/message", json: #"{"text":"[[tokens=4]]","conversation_id":"away"}"#,
                headers: ["prefer": "respond-async"])
            #expect(reply.status == 202)
            let job = try #require(reply.json?["job_id"]?.string)
            try await redis.restart()
            let end = try await web.follow(ChatTranscript(JobID(rawValue: job)))
            #expect(end.problem(expecting: tokens(4)) == nil)
        }
    }

    private static func strike(_ loss: Loss, _ fleet: Fleet) async throws {
        guard let redis = fleet.redis else { return }
        switch loss {
        case .restartWithData, .restartWithoutData: try await redis.restart()
        case .flush:
            let log = redis.directory.appendingPathComponent("cli.log")
            let client = try await ChildProcess.start("redis-cli", ["-s", redis.socketPath, "FLUSHALL"], log: log)
            try await eventually("redis-cli has ended") { client.exitStatus != nil }
            #expect(client.exitStatus == 0)
        }
    }
}
