import Domain
import LLM
import Testing

@testable import Engine

@Suite(.timeLimit(.minutes(1)))
struct PromptTests {
    private static func message(
        _ role: Message.Role,
        _ content: String,
        _ category: Message.Category = .dialog
    ) -> Message {
        Message(role: role, content: content, category: category, timestamp: Timestamp(milliseconds: 0))
    }

    /// The prompt as `role: content`, for a window of so many tokens.
    private func prompt(
        _ history: [Message],
        window: Int = 1_000_000,
        exchange: [ModelMessage] = []
    ) -> [ModelMessage] {
        var model = TestRun().model
        model.contextWindow = window
        return Prompt(systemPrompt: "S", model: model).messages(history: history, exchange: exchange)
    }

    private func lines(_ messages: [ModelMessage]) -> [String] {
        messages.map { "\($0.role.rawValue): \($0.content)" }
    }

    @Test
    func `instructions and context come first, then the dialog by time, then this run`() {
        let history = [
            Self.message(.user, "u1"), Self.message(.system, "rules", .system), Self.message(.assistant, "a1"),
            Self.message(.system, "facts", .context), Self.message(.tool, "output", .systemOutput),
            Self.message(.user, "u2"),
        ]
        let exchange = [ModelMessage(role: .assistant, content: "now")]
        #expect(
            self.lines(self.prompt(history, exchange: exchange)) == [
                "system: S", "system: rules", "system: facts", "user: u1", "assistant: a1", "tool: output", "user: u2",
                "assistant: now",
            ]
        )
    }

    @Test
    func `errors and internal notes are left out`() {
        let history = [
            Self.message(.user, "u1"), Self.message(.assistant, "it failed", .error),
            Self.message(.system, "note", .internal), Self.message(.user, "u2"),
        ]
        #expect(self.lines(self.prompt(history)) == ["system: S", "user: u1", "user: u2"])
    }

    @Test
    func `tool calls and their results keep their ids`() {
        let call = ToolCall(id: "1", name: "n", arguments: "{}")
        var assistant = Self.message(.assistant, "")
        assistant.toolCalls = [call]
        var result = Self.message(.tool, "r", .systemOutput)
        result.toolCallID = "1"
        let prompt = self.prompt([Self.message(.user, "u"), assistant, result])
        #expect(prompt.map(\.toolCalls) == [[], [], [call], []])
        #expect(prompt.map(\.toolCallID) == [nil, nil, nil, "1"])
    }

    /// Messages of 98 bytes, user and assistant in turn, the user's last.
    private static let long = (0..<21).map { number in
        Self.message(
            number % 2 == 0 ? .user : .assistant,
            "\(number) " + String(repeating: "x", count: 98 - "\(number)".count - 1)
        )
    }

    @Test(arguments: [
        // 85 % of the window at four bytes a token, less one byte of system prompt; 98 bytes a message.
        (100_000, 21), (606, 21), (605, 19), (300, 9), (87, 3), (86, 1), (60, 1), (1, 1), (0, 1),
    ])
    func `the oldest dialog goes first, in whole exchanges, and the last user message stays`(
        window: Int,
        kept: Int
    ) {
        let prompt = self.prompt(Self.long, window: window)
        #expect(prompt.count == kept + 1)
        #expect(self.lines(prompt).dropFirst() == self.lines(Self.long.suffix(kept).map(ModelMessage.init))[...])
        #expect(prompt.dropFirst().first?.role == .user)
        #expect(prompt.last?.content.hasPrefix("20 ") == true)
    }

    @Test
    func `instructions, context and this run are never trimmed, and take room from the dialog`() {
        let history =
            Self.long + [
                Self.message(.system, String(repeating: "r", count: 500), .system),
                Self.message(.system, String(repeating: "c", count: 500), .context),
            ]
        let exchange = [ModelMessage(role: .assistant, content: String(repeating: "e", count: 500))]
        let prompt = self.prompt(history, window: 200, exchange: exchange)
        #expect(prompt.map(\.role) == [.system, .system, .system, .user, .assistant])
        #expect(prompt.dropLast().last?.content.hasPrefix("20 ") == true)
    }

    @Test
    func `a last user message that alone is too long stays whole`() {
        let long = Self.message(.user, String(repeating: "x", count: 10_000))
        let prompt = self.prompt(Self.long + [long], window: 100)
        #expect(prompt.map(\.content.utf8.count) == [1, 10_000])
    }

    @Test
    func `what follows the last user message does not push it out`() {
        let output = Self.message(.tool, String(repeating: "o", count: 5000), .systemOutput)
        let prompt = self.prompt([Self.message(.user, "question"), output], window: 100)
        #expect(prompt.contains { $0.role == .user && $0.content == "question" })
    }

    @Test
    func `a dialog that fits may begin with an answer`() {
        let history = [Self.message(.assistant, "Hello!"), Self.message(.user, "Hi")]
        #expect(self.lines(self.prompt(history)) == ["system: S", "assistant: Hello!", "user: Hi"])
    }

    @Test
    func `an empty history is only the system prompt`() {
        #expect(self.lines(self.prompt([])) == ["system: S"])
    }
}
