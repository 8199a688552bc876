import ArgumentParser
import Foundation

/// Sends one message, or has a conversation.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Sends a message and shows the answer as it is written.",
        discussion: "Without a message it is a conversation: one line, one message; end with Ctrl-D."
    )

    @Argument(help: "The message.")
    var message: [String] = []

    @Option(help: "Where Penguin listens (PENGUIN_URL, default http://127.0.0.1:8000).")
    var url: String?

    @Option(help: "Go on with this conversation.")
    var conversation: String?

    @Option(help: "Ask this model.")
    var model: String?

    @Flag(help: "Show the model's reasoning too.")
    var reasoning = false

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let client = ChatClient(
            url: self.url ?? environment["PENGUIN_URL"] ?? "http://127.0.0.1:8000",
            key: environment["PENGUIN_API_KEY"],
            model: self.model,
            showsReasoning: self.reasoning
        )
        do {
            if self.message.isEmpty {
                try await client.converse(in: self.conversation)
            } else {
                _ = try await client.say(self.message.joined(separator: " "), in: self.conversation)
            }
        } catch let error as ChatClient.Failure {
            FileHandle.standardError.write(Data("penguin: \(error.message)\n".utf8))
            throw ExitCode.failure
        }
    }
}
