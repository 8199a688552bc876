import Domain
import LLM

/// Builds what a model is sent: instructions, context, then the dialog by time, as much of it as fits.
///
/// Only the prompt is trimmed, never the stored history: the oldest dialog goes first; instructions, context and the
/// last message of the user stay.
struct Prompt {
    /// The part of the context window that the prompt may fill.
    private static let fill = 0.85
    private static let bytesPerToken = 4

    let systemPrompt: String
    let model: ModelConfiguration

    func messages(history: [Message], exchange: [ModelMessage]) -> [ModelMessage] {
        let instructions = history.filter { $0.category == .system || $0.category == .context }
        let head = [ModelMessage(role: .system, content: self.systemPrompt)] + instructions.map(ModelMessage.init)
        let dialog = history.filter { $0.category == .dialog || $0.category == .systemOutput }
        var room = Int(Double(self.model.contextWindow * Self.bytesPerToken) * Self.fill)
        for message in head + exchange { room -= message.content.utf8.count }
        return head + self.newest(of: dialog, within: room) + exchange
    }

    /// The longest run of newest messages that fits, at least from the user's last one on, not beginning with an answer.
    private func newest(of dialog: [Message], within room: Int) -> [ModelMessage] {
        var room = room
        var kept = dialog.reversed().prefix { message in
            room -= message.content.utf8.count
            return room >= 0
        }.count
        let lastUser = dialog.lastIndex { $0.role == .user } ?? max(0, dialog.count - 1)
        kept = max(kept, dialog.count - lastUser)
        let newest = dialog.suffix(kept)
        let trimmed = kept == dialog.count ? newest : newest.drop { $0.role != .user }
        return trimmed.map(ModelMessage.init)
    }
}

extension ModelMessage {
    init(_ message: Message) {
        let role: Role =
            switch message.role {
            case .system: .system
            case .user: .user
            case .assistant: .assistant
            case .tool: .tool
            }
        self.init(
            role: role,
            content: message.content,
            toolCalls: message.toolCalls ?? [],
            toolCallID: message.toolCallID
        )
    }
}
