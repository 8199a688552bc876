import Domain
import Synchronization
import TestSupport
import Testing
import WebSocket

/// A hundred clients that follow long answers and read nothing.
@Suite(.serialized, .timeLimit(.minutes(4)))
struct DeafClientsTests {
    /// How many clients are connected and have asked.
    private final class Tally: Sendable {
        private let count = Mutex(0)

        var value: Int { self.count.withLock { $0 } }

        func increment() { self.count.withLock { $0 += 1 } }
    }

    private static let clients = 100
    private static let answers = 10
    private static let mebibyte = 1 << 20
    /// What README.md gives each socket: unsent bytes, and events that it is behind.
    private static let bytesPerClientMax = 65_536 + mebibyte
    /// For what an allocator keeps, and the pages of a debug build that are touched for the first time.
    private static let slack = 32 * mebibyte
    /// 3 MB each, at a pace that leaves the worker of a debug build time for others: three times the bound for all of them.
    private static let prompt = "[[tokens=600 size=5000 delay=25ms]]"

    @Test func `a hundred clients that never read slow nobody and cost a bounded amount of memory`() async throws {
        let patience = ["PENGUIN_LEASE_SECONDS": "20", "PENGUIN_HEARTBEAT_SECONDS": "2"]
        try await withFleet(hasRedis: true, variables: patience) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            _ = try await fleet.startWorker(seenBy: web)
            let alone = try await Self.firstFrame(of: 10, at: web)
            let before = try web.process.residentBytes()
            try await withThrowingTaskGroup { group in
                let deaf = Tally()
                for index in 0..<Self.clients {
                    group.addTask { try await Self.beDeaf(index, at: web, deaf) }
                }
                try await eventually(within: .seconds(60), "all are deaf, and the answers under way") {
                    deaf.value == Self.clients && fleet.provider.counters.answersLive == Self.answers
                }
                let together = try await Self.firstFrame(of: 10, at: web)
                #expect(together < alone * 10 + .milliseconds(200), "first frames took \(together), alone \(alone)")
                try await eventually(within: .seconds(120), "the answers are over") {
                    fleet.provider.counters.answersLive == 0
                }
                let growth = try web.process.residentBytes() - before
                let growthMax = Self.clients * Self.bytesPerClientMax + Self.slack
                #expect(growth < growthMax, "the server grew by \(growth / Self.mebibyte) MiB")
                group.cancelAll()
            }
            try await web.answer(to: "[[tokens=10]]").expect(tokens(10))
            for index in 0..<Self.answers {
                try await eventually(within: .seconds(60), "answer \(index) is in the history") {
                    try await web.history(of: "deaf\(index)").last?.text.utf8.count == 600 * 5000
                }
            }
        }
    }

    /// Starts an answer, or follows another's, and stays without reading until the task is cancelled.
    private static func beDeaf(_ index: Int, at web: WebServer, _ tally: Tally) async throws {
        var configuration = WebSocketConfiguration()
        configuration.compression = false
        try await web.chat(reads: false, configuration: configuration) { deaf in
            if index < Self.answers {
                try await deaf.submit(Self.prompt, in: "deaf\(index)")
            } else {
                try await deaf.resume(ChatTranscript(try await Self.answer(index % Self.answers, at: web)))
            }
            tally.increment()
            await hang()
        }
    }

    private static func answer(_ index: Int, at web: WebServer) async throws -> JobID {
        var id: String?
        try await eventually(within: .seconds(60), "answer \(index) is asked for") {
            id = try await web.jobs("&conversation_id=deaf\(index)").first?["job_id"]?.string
            return id != nil
        }
        return JobID(rawValue: try #require(id))
    }

    /// The median time from a message to the first text of its answer.
    private static func firstFrame(of count: Int, at web: WebServer) async throws -> Duration {
        try await web.chat { chat in
            var times: [Duration] = []
            for _ in 0..<count {
                let began = ContinuousClock.now
                let job = try await chat.say("[[tokens=10]]")
                try await chat.wait(for: job, within: .seconds(60)) { !$0.text.isEmpty || $0.terminal != nil }
                times.append(began.duration(to: .now))
                try await chat.end(of: job).expect(tokens(10))
            }
            return times.sorted()[count / 2]
        }
    }
}
