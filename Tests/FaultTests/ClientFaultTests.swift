import Domain
import NIOCore
import TestSupport
import Testing
import WebSocket

/// Clients that go away, or stay and do not read.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ClientFaultTests {
    private static let deafJobs = 8
    private static let mebibyte = 1 << 20

    @Test func `a client that leaves in the middle finds the answer in the history`() async throws {
        try await withFleet { fleet in
            let web = try await fleet.startWeb()
            let prompt = "[[tokens=100 delay=10ms]]"
            try await web.chat { chat in
                let job = try await chat.say(prompt, in: "left")
                try await chat.wait(for: job) { $0.text.contains("tok10 ") }
            }
            // A client of the other kind, which gives up waiting for the response.
            await #expect(throws: (any Error).self) {
                try await web.http().post(
                    "/api/v1/chat/message",
                    json: #"{"text":"\#(prompt)","conversation_id":"gone"}"#,
                    within: .milliseconds(500)
                )
            }
            for conversation in ["left", "gone"] {
                try await eventually(within: .seconds(15), "the answer is in the history of \(conversation)") {
                    try await web.history(of: conversation) == [.user(prompt), .assistant(tokens(100))]
                }
            }
        }
    }

    @Test func `a client that stops reading is noticed by nobody else`() async throws {
        // A worker of its own, so that the memory of `penguin-web` is that of its clients; and time for it.
        let patience = ["PENGUIN_LEASE_SECONDS": "20", "PENGUIN_HEARTBEAT_SECONDS": "2"]
        try await withFleet(hasRedis: true, variables: patience) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            _ = try await fleet.startWorker(seenBy: web)
            _ = try await web.answer(to: "[[tokens=50 delay=5ms]]")
            let before = try web.process.residentBytes()
            var configuration = WebSocketConfiguration()
            configuration.compression = false
            try await web.chat(reads: false, configuration: configuration) { deaf in
                // 64 MB for somebody who takes none of it, at a pace that leaves the worker of a debug build time for others.
                for index in 0..<Self.deafJobs {
                    try await deaf.submit("[[tokens=1600 size=5000 delay=10ms]]", in: "deaf\(index)")
                }
                try await eventually(within: .seconds(15), "the big answers are under way") {
                    fleet.provider.counters.answersLive == Self.deafJobs
                }
                let slowest = try await Self.slowestAnswer(of: 20, web)
                #expect(slowest < .seconds(20), "another client's answer took \(slowest)")
                try await eventually(within: .seconds(60), "the big answers are complete") {
                    fleet.provider.counters.answersLive == 0
                }
                let growth = try web.process.residentBytes() - before
                #expect(growth < 32 * Self.mebibyte, "the server grew by \(growth / Self.mebibyte) MiB")
            }
            for index in 0..<Self.deafJobs {
                try await eventually(within: .seconds(15), "answer \(index) is in the history") {
                    try await web.history(of: "deaf\(index)").last?.text.utf8.count == 1600 * 5000
                }
            }
        }
    }

    private static func slowestAnswer(of count: Int, _ web: WebServer) async throws -> Duration {
        try await web.chat { chat in
            var slowest = Duration.zero
            for _ in 0..<count {
                let began = ContinuousClock.now
                let job = try await chat.say("[[tokens=10]]")
                try await chat.end(of: job).expect(tokens(10))
                slowest = max(slowest, began.duration(to: .now))
            }
            return slowest
        }
    }
}
