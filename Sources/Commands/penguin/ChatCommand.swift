import ArgumentParser

/// Sends one message, or has a conversation.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Sends a message and shows the answer as it is written.",
        discussion: "Without a message it is a conversation: one line, one message; end with Ctrl-D."
    )

    @Argument(help: "The message.")
    var message: [String] = []

    @OptionGroup var server: ServerOptions

    @Option(help: "Go on with this conversation.")
    var conversation: String?

    @Option(help: "Ask this model.")
    var model: String?

    @Flag(help: "Show the model's reasoning too.")
    var reasoning = false

    func run() async throws {
        let client = ChatClient(
            url: self.server.address,
            key: self.server.key,
            model: self.model,
            showsReasoning: self.reasoning
        )
        try await CommandFailure.reporting {
            if self.message.isEmpty {
                try await client.converse(in: self.conversation)
            } else {
                _ = try await client.say(self.message.joined(separator: " "), in: self.conversation)
            }
        }
    }
}
