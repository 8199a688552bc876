import Domain
import Foundation
import TestSupport
import Testing

/// A way to Redis that is slow, torn or blocked while answers stream.
@Suite(.serialized, .timeLimit(.minutes(4)))
struct ProxyFaultTests {
    enum Fault: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case slow, cutEverySecond, halfClosedToServer, halfClosedToClient, frozen

        var testDescription: String { self.rawValue }
    }

    private static let chats = 5
    private static let answer = tokens(300)

    /// No two are the same, so that the provider knows how often it was asked for each.
    private static func prompt(_ chat: Int) -> String { "chat \(chat) [[tokens=300 delay=10ms]]" }

    @Test(arguments: Fault.allCases)
    func `answers come whole and once over a bad way to Redis`(_ fault: Fault) async throws {
        try await withRedis(appendOnly: true) { redis in
            try await withFaultProxy(to: .unix(path: redis.socketPath)) { proxy in
                try await Self.withFleet(behind: proxy) { fleet in
                    let web = try await fleet.startWeb("--workers", "0")
                    _ = try await fleet.startWorker(seenBy: web)
                    try await Self.chat(at: web, fleet) { try await Self.strike(fault, proxy) }
                    // What is left of the fault, if anything, does not keep the next one from being answered.
                    try await web.answer(to: "[[tokens=3]]", in: "next").expect(tokens(3))
                }
            }
        }
    }

    private static func chat(at web: WebServer, _ fleet: Fleet, strike: () async throws -> Void) async throws {
        try await web.chat { chat in
            var jobs: [JobID] = []
            for index in 0..<Self.chats { jobs.append(try await chat.say(Self.prompt(index), in: "chat\(index)")) }
            for job in jobs { try await chat.wait(for: job) { $0.text.contains("tok20 ") } }
            try await strike()
            for (index, job) in jobs.enumerated() {
                try await chat.end(of: job, within: .seconds(60)).expect(Self.answer)
                try await web.follow(ChatTranscript(job), within: .seconds(60)).expect(Self.answer)
                #expect(
                    try await web.history(of: "chat\(index)") == [.user(Self.prompt(index)), .assistant(Self.answer)]
                )
                #expect(try await web.job(job)["attempt"] == .integer(1))
                #expect(fleet.provider.tallies[Self.prompt(index)]?.requests == 1)
            }
        }
    }

    private static func strike(_ fault: Fault, _ proxy: FaultProxy) async throws {
        switch fault {
        case .slow: try await proxy.delay(.milliseconds(300))
        case .cutEverySecond:
            for _ in 0..<3 {
                #expect(try await proxy.cut() > 0)
                await dawdle(for: .seconds(1))
            }
        case .halfClosedToServer: try await proxy.shut(.toServer)
        case .halfClosedToClient: try await proxy.shut(.toClient)
        case .frozen:
            try await proxy.hold()
            // More than twice the time that a command may take.
            await dawdle(for: .milliseconds(2500))
            try await proxy.heal()
        }
    }

    /// A fleet that reaches Redis over the proxy, and gives a command one second.
    private static func withFleet(behind proxy: FaultProxy, _ body: (Fleet) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            let configuration = folder.appendingPathComponent("penguin.yaml")
            try Data("redis:\n  command_timeout_seconds: 1\n".utf8).write(to: configuration)
            let variables = [
                "REDIS_URL": "redis://127.0.0.1:\(try #require(proxy.port))", "PENGUIN_CONFIG": configuration.path,
            ]
            try await FaultTests.withFleet(variables: variables, body)
        }
    }
}
