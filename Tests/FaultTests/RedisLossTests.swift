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
                end.expect(Self.answer)
                let late = try await web.follow(seen)
                late.expect(Self.answer)
                let whole = try await web.follow(ChatTranscript(job))
                whole.expect(Self.answer)
                // The streams that hand out jobs are there again.
                let next = try await chat.say("[[tokens=3]]", in: "loss")
                try await chat.end(of: next).expect(tokens(3))
            }
            let history = try await web.history(of: "loss")
            #expect(
                history == [.user(Self.prompt), .assistant(Self.answer), .user("[[tokens=3]]"), .assistant(tokens(3))]
            )
        }
    }

    @Test func `a message accepted while Redis is away is answered when it is back`() async throws {
        try await withFleet(hasRedis: true, appendOnly: false) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            _ = try await fleet.startWorker(seenBy: web)
            let redis = try #require(fleet.redis)
            try await redis.kill()
            let began = ContinuousClock.now
            let reply = try await web.http().post(
                "/api/v1/chat/message",
                json: #"{"text":"[[tokens=4]]","conversation_id":"away"}"#,
                headers: ["prefer": "respond-async"]
            )
            #expect(reply.status == 202)
            let posted = ChatTranscript(JobID(rawValue: try #require(reply.json?["job_id"]?.string)))
            try await web.chat { chat in
                let job = try await chat.say("[[tokens=5]]", in: "away-too")
                let waited = began.duration(to: .now)
                #expect(waited < .seconds(4), "two messages were accepted only after \(waited)")
                try await redis.restart()
                try await chat.end(of: job).expect(tokens(5))
            }
            try await web.follow(posted).expect(tokens(4))
        }
    }

    @Test func `an answer whose events have expired comes from the ledger`() async throws {
        try await withFleet(variables: ["PENGUIN_LOG_TTL_SECONDS": "0.1"]) { fleet in
            let web = try await fleet.startWeb()
            let end = try await web.answer(to: "[[tokens=30 delay=5ms]]", in: "expired")
            end.expect(tokens(30))
            let file = fleet.home.appendingPathComponent("cli.log")
            try await eventually("the events have expired") {
                let socket = fleet.home.appendingPathComponent("redis.sock").path
                let key = "penguin:log:\(end.jobID)"
                let client = try await ChildProcess.start("redis-cli", ["-s", socket, "EXISTS", key], log: file)
                try await eventually("redis-cli has ended") { client.exitStatus != nil }
                return try String(contentsOf: file, encoding: .utf8).hasSuffix("0\n")
            }
            let late = try await web.follow(ChatTranscript(end.jobID))
            late.expect(tokens(30))
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
