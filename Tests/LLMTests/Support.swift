import Domain
import HTTPClient
import LLM

/// Runs `body` with a client that is shut down afterwards.
func withClient<R>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (HTTPClient) async throws -> R
) async throws -> R {
    let client = HTTPClient()
    do {
        let result = try await body(client)
        await client.shutdown()
        return result
    } catch {
        await client.shutdown()
        throw error
    }
}

/// All events of a stream, and what ended it if it did not end well.
func outcome(of stream: ModelEventStream) async -> (events: [ModelEvent], error: ModelError?) {
    var events: [ModelEvent] = []
    do throws(ModelError) {
        for try await event in stream { events.append(event) }
        return (events, nil)
    } catch {
        return (events, error)
    }
}

extension [ModelEvent] {
    /// The answer's text.
    var text: String {
        self.reduce(into: "") { if case .text(let piece) = $1 { $0 += piece } }
    }

    /// The reasoning.
    var reasoning: String {
        self.reduce(into: "") { if case .reasoning(let piece) = $1 { $0 += piece } }
    }

    var toolCalls: [ToolCall] {
        self.compactMap { if case .toolCall(let call) = $0 { call } else { nil } }
    }

    var usage: TokenUsage? {
        self.compactMap { if case .usage(let usage) = $0 { usage } else { nil } }.last
    }

    /// The same with neighbouring pieces of one kind joined, which is all that cutting bytes elsewhere may change.
    var joined: [ModelEvent] {
        self.reduce(into: []) { joined, event in
            switch (joined.last, event) {
            case (.text(let before), .text(let piece)): joined[joined.count - 1] = .text(before + piece)
            case (.reasoning(let before), .reasoning(let piece)):
                joined[joined.count - 1] = .reasoning(before + piece)
            default: joined.append(event)
            }
        }
    }
}

/// A model at a fake provider.
func testModel(
    at base: String,
    provider: String = "test",
    keyVariable: String? = nil,
    idleTimeoutSeconds: Int = 30
) -> ModelConfiguration {
    ModelConfiguration(
        id: "test",
        model: "fake-model",
        provider: provider,
        wireFormat: .openAI,
        apiBase: base,
        apiKeyVariable: keyVariable,
        idleTimeoutSeconds: idleTimeoutSeconds
    )
}

/// A turn that says one thing.
func turn(_ model: ModelConfiguration, _ prompt: String, streaming: Bool = true) -> ModelRequest {
    ModelRequest(model: model, messages: [ModelMessage(role: .user, content: prompt)], streaming: streaming)
}

/// `tok0 tok1 … ` as the fake provider writes it.
func numberedTokens(_ count: Int) -> String {
    (0..<count).map { "tok\($0) " }.joined()
}
