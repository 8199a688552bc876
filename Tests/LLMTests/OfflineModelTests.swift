import Domain
import LLM
import Testing

@Suite(.timeLimit(.minutes(1)))
struct OfflineModelTests {
    private func request(_ messages: [ModelMessage], streaming: Bool = true) -> ModelRequest {
        ModelRequest(model: OfflineModel.configuration, messages: messages, streaming: streaming)
    }

    @Test func `it says what it is, how to get another, and echoes`() async {
        let messages = [
            ModelMessage(role: .user, content: "first"), ModelMessage(role: .assistant, content: "a"),
            ModelMessage(role: .user, content: "How are  you? \u{1f600}"),
        ]
        let (events, error) = await outcome(of: OfflineModel().stream(self.request(messages)))
        #expect(error == nil)
        #expect(events.text == OfflineModel.notice + "\n\nYou wrote: How are  you? \u{1f600}")
        for word in [
            "No model is configured", "OPENROUTER_API_KEY", "OPENAI_API_KEY", "api_base", "config/penguin.yaml",
        ] {
            #expect(events.text.contains(word))
        }
        #expect(events.count > 20)
        #expect(events.last == .finish(.stop))
        #expect((events.usage?.completionTokens ?? 0) > 10)
    }

    @Test func `it answers in one piece when asked to`() async {
        let messages = [ModelMessage(role: .user, content: "hi")]
        let (events, _) = await outcome(of: OfflineModel().stream(self.request(messages, streaming: false)))
        #expect(events.count == 3)
    }

    @Test func `it does not echo a book`() async {
        let messages = [ModelMessage(role: .user, content: String(repeating: "x", count: 100_000))]
        let (events, _) = await outcome(of: OfflineModel().stream(self.request(messages)))
        #expect(events.text.count < 10_000)
    }
}
