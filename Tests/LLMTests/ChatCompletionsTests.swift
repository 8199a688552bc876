import Domain
import Foundation
import HTTPClient
import LLM
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(2)))
struct ChatCompletionsTests {
    /// What a turn at a fake provider comes to.
    private func ask(
        _ prompt: String,
        streaming: Bool = true,
        idleTimeoutSeconds: Int = 30
    ) async throws -> (events: [ModelEvent], error: ModelError?) {
        try await withFakeProvider { provider in
            try await withClient { client in
                let model = testModel(at: provider.baseURL, idleTimeoutSeconds: idleTimeoutSeconds)
                let router = ModelRouter(client: client, environment: [:])
                return await outcome(of: router.stream(turn(model, prompt, streaming: streaming)))
            }
        }
    }

    @Test(arguments: [
        "[[tokens=200]]", "[[tokens=200 delay=1ms]]", "[[tokens=200 crlf comments]]", "[[tokens=200 split=7]]",
        "[[tokens=200 crlf split=1]]", "[[tokens=200 nodone]]", "[[tokens=200 json]]",
    ])
    func `the text comes whole and in order`(prompt: String) async throws {
        let (events, error) = try await self.ask(prompt)
        #expect(error == nil)
        #expect(events.text == numberedTokens(200))
        #expect(events.usage?.completionTokens == 200)
        #expect(events.last == .finish(.stop))
        #expect(events.filter { if case .finish = $0 { true } else { false } }.count == 1)
    }

    @Test(arguments: [true, false], ["reasoning", "reasoning_content", "reasoning_details"])
    func `reasoning comes before the text`(streaming: Bool, field: String) async throws {
        let (events, error) = try await self.ask("[[tokens=3 reasoning=4 field=\(field)]]", streaming: streaming)
        #expect(error == nil)
        #expect(events.reasoning == "think0 think1 think2 think3 ")
        #expect(events.text == numberedTokens(3))
        #expect(events.usage?.reasoningTokens == 4)
        #expect(events.first.map { if case .reasoning = $0 { true } else { false } } == true)
    }

    @Test(arguments: [true, false])
    func `tool calls are assembled`(streaming: Bool) async throws {
        let prompt = #"[[together]] [[tool=read_file {"path":"ä \"b\".txt","deep":{"x":[[1]]}}]] [[tool=list]]"#
        let (events, error) = try await self.ask(prompt, streaming: streaming)
        #expect(error == nil)
        #expect(events.toolCalls.map(\.name) == ["read_file", "list"])
        #expect(events.toolCalls.map(\.arguments) == [#"{"path":"ä \"b\".txt","deep":{"x":[[1]]}}"#, "{}"])
        #expect(Set(events.toolCalls.map(\.id)).count == 2)
        #expect(events.last == .finish(.toolCalls))
    }

    @Test(arguments: [
        ("[[tokens=3 finish=length]]", FinishReason.length), ("[[tokens=3 finish=content_filter]]", .contentFilter),
        ("[[tokens=3 finish=odd]]", .other("odd")),
    ])
    func `the reason comes through`(prompt: String, reason: FinishReason) async throws {
        for streaming in [true, false] {
            #expect(try await self.ask(prompt, streaming: streaming).events.last == .finish(reason))
        }
    }

    @Test func `usage and cost come through, or are absent`() async throws {
        let (priced, _) = try await self.ask("[[tokens=3 cost=0.5]]")
        #expect(priced.usage == TokenUsage(promptTokens: 6, completionTokens: 3, cost: 0.5))
        let (silent, _) = try await self.ask("[[tokens=3 usage=off]]")
        #expect(silent.usage == nil)
        #expect(silent.last == .finish(.stop))
    }

    /// One row: what the provider is told to do, and what becomes of it.
    struct Fault: CustomTestStringConvertible {
        var prompt: String
        var code: ModelError.Code
        var text = ""
        var status: Int?
        var testDescription: String { "\(self.prompt) -> \(self.code)" }
    }

    static let faults = [
        Fault(prompt: "[[error=400]]", code: .badRequest, status: 400),
        Fault(prompt: "[[error=401]]", code: .authentication, status: 401),
        Fault(prompt: "[[error=403]]", code: .authentication, status: 403),
        Fault(prompt: "[[error=404]]", code: .notFound, status: 404),
        Fault(prompt: "[[error=408]]", code: .timeout, status: 408),
        Fault(prompt: "[[error=429]]", code: .rateLimited, status: 429),
        Fault(prompt: "[[error=500]]", code: .serverError, status: 500),
        Fault(prompt: "[[error=503 html]]", code: .overloaded, status: 503),
        Fault(prompt: "[[error=context]]", code: .contextTooLong, status: 400),
        Fault(prompt: "[[drop]]", code: .connection),
        Fault(prompt: "[[cut=5]]", code: .cutOff, text: numberedTokens(5)),
        Fault(prompt: "[[cut=5 delay=2ms]]", code: .cutOff, text: numberedTokens(5)),
        Fault(prompt: "[[tokens=5 finish=none]]", code: .cutOff, text: numberedTokens(5)),
        Fault(prompt: "[[garbage]]", code: .malformed),
        Fault(prompt: "[[garbage=5]]", code: .malformed, text: numberedTokens(5)),
        Fault(prompt: "[[fail=5]]", code: .serverError, text: numberedTokens(5), status: 502),
        Fault(prompt: "[[fail=5 status=429]]", code: .rateLimited, text: numberedTokens(5), status: 429),
        Fault(prompt: "[[hang]]", code: .timeout),
        Fault(prompt: "[[hang=3]]", code: .timeout, text: numberedTokens(3)),
    ]

    @Test(arguments: Self.faults)
    func `a fault is told by its kind, after the text that came`(fault: Fault) async throws {
        let (events, error) = try await self.ask(fault.prompt, idleTimeoutSeconds: 1)
        #expect(error?.code == fault.code)
        #expect(error?.status == fault.status)
        #expect(events.text == fault.text)
        #expect(events.allSatisfy { if case .text = $0 { true } else { false } })
    }

    @Test(arguments: [
        ("[[cut=5]]", ModelError.Code.connection), ("[[garbage]]", .malformed), ("[[fail=1]]", .serverError),
        ("[[hang=1]]", .timeout), ("[[error=500]]", .serverError),
    ])
    func `so is one of an answer in one piece`(prompt: String, code: ModelError.Code) async throws {
        let (events, error) = try await self.ask(prompt, streaming: false, idleTimeoutSeconds: 1)
        #expect(error?.code == code)
        #expect(events.isEmpty)
    }

    @Test func `the provider says how long to wait and in its own words`() async throws {
        let (_, error) = try await self.ask("[[error=429 retry_after=7]]")
        #expect(error?.retryAfter == .seconds(7))
        #expect(error?.message == "test answered 429: The fake provider refuses")
        #expect(error?.isRetryable == true)
        let (_, page) = try await self.ask("[[error=502 html]]")
        #expect(page?.message == #"test answered 502: an HTML page titled "502 from a proxy""#)
    }

    @Test func `a fault that strikes twice lets the third request through`() async throws {
        try await withFakeProvider { provider in
            try await withClient { client in
                let router = ModelRouter(client: client, environment: [:])
                let request = turn(testModel(at: provider.baseURL), "[[error=500 times=2 tokens=1]]")
                #expect(await outcome(of: router.stream(request)).error?.code == .serverError)
                #expect(await outcome(of: router.stream(request)).error?.code == .serverError)
                #expect(await outcome(of: router.stream(request)).events.text == "tok0 ")
            }
        }
    }

    @Test func `the key goes out and never comes back`() async throws {
        let key = "sk-test-0123456789"
        try await withFakeProvider(requiredKey: key) { provider in
            try await withClient { client in
                let model = testModel(at: provider.baseURL + "/", keyVariable: "MY_KEY")
                let router = ModelRouter(client: client, environment: ["MY_KEY": key + "\n"])
                #expect(await outcome(of: router.stream(turn(model, "[[tokens=1]]"))).events.text == "tok0 ")
                let (_, error) = await outcome(of: router.stream(turn(model, "[[error=401 echo_key]]")))
                #expect(error?.code == .authentication)
                #expect(error?.message == "test answered 401: The fake provider refuses: Bearer [key]")
                #expect(!String(reflecting: router).contains(key))

                let wrong = ModelRouter(client: client, environment: ["MY_KEY": "wrong"])
                #expect(await outcome(of: wrong.stream(turn(model, "hi"))).error?.code == .authentication)
                let none = ModelRouter(client: client, environment: [:])
                let missing = await outcome(of: none.stream(turn(model, "hi"))).error
                #expect(missing?.code == .authentication)
                #expect(missing?.message == "test: MY_KEY is not set")
            }
        }
    }

    @Test func `the whole prompt arrives`() async throws {
        try await withFakeProvider { provider in
            try await withClient { client in
                let router = ModelRouter(client: client, environment: [:])
                let call = ToolCall(id: "c1", name: "read_file", arguments: #"{"path":"a\n"}"#)
                var request = ModelRequest(
                    model: testModel(at: provider.baseURL, provider: "openai"),
                    messages: [
                        ModelMessage(role: .system, content: "Be \"brief\"\u{1}\n\t\\ ü 😀"),
                        ModelMessage(role: .user, content: "[[history]]"),
                        ModelMessage(role: .assistant, content: "", toolCalls: [call], reasoning: "hm"),
                        ModelMessage(role: .tool, content: "text", toolCallID: "c1"),
                    ],
                    tools: [
                        ModelTool(name: "read_file", description: "Reads", parametersSchema: #"{"type":"object"}"#)
                    ],
                    maxOutputTokens: 99,
                    temperature: 0.5
                )
                request.model.reasoningEffort = "low"
                let (events, error) = await outcome(of: router.stream(request))
                #expect(error == nil)
                let seen = try JSONDecoder().decode([FakeProviderRequest.Message].self, from: Data(events.text.utf8))
                #expect(seen.map(\.role) == ["system", "user", "assistant", "tool"])
                #expect(seen.map(\.content) == request.messages.map(\.content))
                let received = try #require(provider.requests.first)
                #expect(received.model == "fake-model")
                #expect(received.toolNames == ["read_file"])
                #expect(received.maxTokens == 99)
                #expect(received.temperature == 0.5)
                #expect(received.includeUsage)
                #expect(received.body.contains(#""parameters":{"type":"object"}"#))
                #expect(received.body.contains(#""arguments":"{\"path\":\"a\\n\"}""#))
                #expect(received.body.contains(#""reasoning_effort":"low""#))
                #expect(received.body.contains(#""max_completion_tokens":99"#))
                #expect(!received.body.contains("hm"))
                #expect(received.headers["expect"] == nil)
            }
        }
    }

    @Test func `a tool without a schema is refused before anything is sent`() async throws {
        try await withClient { client in
            var request = turn(testModel(at: "http://127.0.0.1:1/v1"), "hi")
            request.tools = [ModelTool(name: "t", description: "", parametersSchema: "{oops")]
            let (_, error) = await outcome(of: ModelRouter(client: client, environment: [:]).stream(request))
            #expect(error?.code == .badRequest)
        }
    }

    @Test func `Anthropic's own format is refused in plain words, and offline needs no provider`() async throws {
        try await withClient { client in
            let router = ModelRouter(client: client, environment: [:])
            var model = testModel(at: "http://127.0.0.1:1")
            model.wireFormat = .anthropic
            #expect(await outcome(of: router.stream(turn(model, "hi"))).error?.code == .unsupported)
            #expect(await outcome(of: router.stream(turn(OfflineModel.configuration, "hi"))).error == nil)
            let refused = await outcome(of: router.stream(turn(testModel(at: "http://127.0.0.1:1/v1"), "hi"))).error
            #expect(refused?.code == .connection)
        }
    }

    @Test(arguments: ["[[tokens=100000 delay=5ms]]", "[[hang]]", "[[tokens=50 hang=3]]"])
    func `cancelling closes the transfer, and the provider sees it`(prompt: String) async throws {
        try await withFakeProvider { provider in
            try await withClient { client in
                let router = ModelRouter(client: client, environment: [:])
                let task = Task { await outcome(of: router.stream(turn(testModel(at: provider.baseURL), prompt))) }
                try await eventually(within: .seconds(30), "the answer is under way") {
                    provider.counters.answersLive == 1
                }
                task.cancel()
                #expect(await task.value.error?.code == .cancelled)
                try await eventually(within: .seconds(1), "the provider sees the disconnect") {
                    provider.counters.answersAbandoned == 1 && provider.counters.connectionsLive == 0
                }
            }
        }
    }

    @Test func `leaving the loop closes the transfer`() async throws {
        try await withFakeProvider { provider in
            try await withClient { client in
                let router = ModelRouter(client: client, environment: [:])
                let request = turn(testModel(at: provider.baseURL), "[[tokens=100000 delay=1ms]]")
                for try await event in router.stream(request) {
                    if case .text = event { break }
                }
                try await eventually(within: .seconds(1), "the provider sees the disconnect") {
                    provider.counters.answersAbandoned == 1
                }
            }
        }
    }

    @Test func `a slow consumer holds the provider back`() async throws {
        try await withFakeProvider { provider in
            try await withClient { client in
                let router = ModelRouter(client: client, environment: [:])
                let count = 200_000
                let stream = router.stream(turn(testModel(at: provider.baseURL), "[[tokens=\(count)]]"))
                var iterator = stream.makeAsyncIterator()
                var text = ""
                if case .text(let piece) = try await iterator.next(isolation: nil) { text += piece }
                var before = -1
                try await eventually(within: .seconds(20), "the provider is stuck") {
                    await dawdle(for: .milliseconds(150))
                    let now = provider.counters.tokens
                    defer { before = now }
                    return now == before
                }
                #expect(provider.counters.tokens < count)
                while let event = try await iterator.next(isolation: nil) {
                    if case .text(let piece) = event { text += piece }
                }
                #expect(text == numberedTokens(count))
            }
        }
    }

    @Test func `200 streams at once keep their order`() async throws {
        try await withFakeProvider { provider in
            try await withClient { client in
                let router = ModelRouter(client: client, environment: [:])
                let model = testModel(at: provider.baseURL)
                let whole = await withTaskGroup(of: Bool.self) { group in
                    for index in 0..<200 {
                        group.addTask {
                            let prompt = "[[tokens=100 delay=\(index % 4)ms reasoning=\(index % 3)]]"
                            let (events, error) = await outcome(of: router.stream(turn(model, prompt)))
                            return error == nil && events.text == numberedTokens(100)
                        }
                    }
                    return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(whole == 200)
                #expect(provider.counters.answersCompleted == 200)
                #expect(provider.counters.answersAbandoned == 0)
                #expect(provider.counters.connectionsOpened <= 200)
            }
        }
    }

    @Test func `a finished answer leaves its connection to the next`() async throws {
        try await withFakeProvider { provider in
            try await withClient { client in
                let router = ModelRouter(client: client, environment: [:])
                for _ in 0..<20 {
                    let request = turn(testModel(at: provider.baseURL), "[[tokens=20 delay=100us]]")
                    #expect(await outcome(of: router.stream(request)).error == nil)
                    // The rest of the body is on its way while the answer is complete already.
                    try await eventually("the answer is over") { provider.counters.answersLive == 0 }
                }
                #expect(provider.counters.connectionsOpened <= 3)
            }
        }
    }

    @Test func `a local Ollama is found by its models`() async throws {
        try await withFakeProvider { provider in
            try await withClient { client in
                let there = await LocalModelServer.models(
                    client: client,
                    environment: ["OLLAMA_BASE_URL": provider.baseURL]
                )
                #expect(there == ["fake-model"])
                let gone = await LocalModelServer.models(
                    client: client,
                    environment: ["OLLAMA_BASE_URL": "http://127.0.0.1:1/v1"]
                )
                #expect(gone.isEmpty)
            }
        }
    }
}
