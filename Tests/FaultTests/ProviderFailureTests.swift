import Domain
import TestSupport
import Testing

/// Providers that refuse, break off, talk nonsense or say nothing: a clear error or a repeated answer, and the socket lives on.
@Suite(.serialized, .timeLimit(.minutes(3)), .sharedServer())
struct ProviderFailureTests {
    /// What is asked, and how it must end.
    struct Case: Sendable, CustomTestStringConvertible {
        let prompt: String
        let ending: Ending

        var testDescription: String { self.prompt }
    }

    /// The turn is asked so many times; a connection that was kept and breaks unasked is not counted by libcurl.
    enum Ending: Sendable {
        /// The whole answer of so many tokens.
        case answer(tokens: Int, requests: Int, truncated: Bool = false)
        case error(code: String, requests: Int)
    }

    static let cases: [Case] = [
        Case(prompt: "[[error=401]]", ending: .error(code: "provider_authentication", requests: 1)),
        Case(prompt: "[[error=429 times=1]]", ending: .answer(tokens: 10, requests: 2)),
        Case(prompt: "[[error=429 retry_after=100]]", ending: .error(code: "provider_rate_limited", requests: 1)),
        Case(prompt: "[[error=500 times=2]]", ending: .answer(tokens: 10, requests: 3)),
        Case(prompt: "[[error=500]]", ending: .error(code: "provider_server_error", requests: 5)),
        Case(prompt: "[[error=502 html]]", ending: .error(code: "provider_server_error", requests: 5)),
        Case(prompt: "[[error=context]]", ending: .error(code: "provider_context_too_long", requests: 1)),
        Case(prompt: "[[garbage]]", ending: .error(code: "provider_malformed", requests: 1)),
        Case(prompt: "[[tokens=20 garbage=5]]", ending: .error(code: "provider_malformed", requests: 1)),
        Case(prompt: "[[drop times=2]]", ending: .answer(tokens: 10, requests: 3)),
        Case(prompt: "[[drop]]", ending: .error(code: "provider_connection", requests: 5)),
        Case(
            prompt: "[[tokens=40 delay=5ms cut=20 times=1]]",
            ending: .answer(tokens: 40, requests: 2, truncated: true)
        ),
        Case(prompt: "[[tokens=40 cut=20]]", ending: .error(code: "provider_cut_off", requests: 2)),
        Case(
            prompt: "[[tokens=40 delay=5ms fail=20 times=1]]",
            ending: .answer(tokens: 40, requests: 2, truncated: true)
        ),
    ]

    @Test(arguments: Self.cases)
    func `a provider's fault ends in a clear error or an answer, and the socket lives on`(_ scene: Case) async throws {
        let server = try SharedServer.current
        let requests = server.fleet.provider.counters.requests
        try await server.web.chat { chat in
            let job = try await chat.say(scene.prompt)
            let end = try await chat.end(of: job)
            let asked = server.fleet.provider.counters.requests - requests
            switch scene.ending {
            case .answer(let count, let expected, let truncated):
                end.expect(tokens(count))
                #expect((expected...expected + Self.uncounted(scene)).contains(asked))
                #expect((end.count(of: .truncate) > 0) == truncated)
            case .error(let code, let expected):
                #expect(end.errorCode == code)
                #expect(end.terminal?.data["message"]?.string?.isEmpty == false)
                #expect(end.faults == [])
                #expect((expected...expected + Self.uncounted(scene)).contains(asked))
            }
            let next = try await chat.say("[[tokens=3]]")
            try await chat.end(of: next).expect(tokens(3))
        }
    }

    private static func uncounted(_ scene: Case) -> Int { scene.prompt.contains("drop") ? 1 : 0 }

    @Test func `a provider that asks for a second's rest gets it`() async throws {
        let server = try SharedServer.current
        let began = ContinuousClock.now
        let end = try await server.web.answer(to: "[[error=429 retry_after=1 times=1]]")
        end.expect(tokens(10))
        #expect(began.duration(to: .now) >= .seconds(1))
    }

    @Test(arguments: ["[[hang]]", "[[tokens=20 hang=5]]", "[[tokens=1000 delay=10ms]]"])
    func `a cancel ends an answer in its middle, and the provider sees it`(_ prompt: String) async throws {
        let server = try SharedServer.current
        let provider = server.fleet.provider
        let before = provider.counters
        try await server.web.chat { chat in
            let job = try await chat.say(prompt, in: "cancelled")
            try await eventually("the provider is asked") { provider.counters.requests > before.requests }
            if prompt.contains("tokens") { try await chat.wait(for: job) { $0.text.contains("tok3 ") } }
            try await chat.cancel(job)
            let end = try await chat.end(of: job, within: .seconds(5))
            #expect(end.terminal?.event == .cancelled)
            #expect(end.faults == [])
            try await eventually("the provider sees the connection closed") {
                provider.counters.answersAbandoned > before.answersAbandoned
            }
            let next = try await chat.say("[[tokens=3]]", in: "cancelled")
            try await chat.end(of: next).expect(tokens(3))
            #expect(try await server.web.job(job)["state"]?.string == "cancelled")
        }
    }

    @Test func `a post tells the provider's fault as 502 and never the key`() async throws {
        let server = try SharedServer.current
        let reply = try await server.web.http().post(
            "/api/v1/chat/message",
            json: #"{"text":"[[error=401 echo_key]]","conversation_id":"refused"}"#
        )
        #expect(reply.status == 502)
        #expect(reply.json?["error"]?["code"]?.string == "provider_authentication")
        #expect(!reply.text.contains("key-of-the-fake-provider"))
        // The user's message stays in the conversation.
        #expect(try await server.web.history(of: "refused").map(\.role) == ["user"])
    }
}
