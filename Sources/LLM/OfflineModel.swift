package import Domain

/// The model that is there when no other is: says so, says how to change it, and echoes.
///
/// The rules: every turn answers with the same notice, followed by `You wrote: ` and the last user message (its first
/// 8,000 characters). Nothing leaves the process. The text comes word by word; the usage is an estimate of four
/// characters to a token; the turn ends with `stop`. Tools are not called.
package struct OfflineModel: ModelProvider {
    private static let echoedCharactersMax = 8000
    private static let charactersPerToken = 4

    /// The configuration under the id `offline`.
    package static let configuration = ModelConfiguration(
        id: "offline",
        model: "offline",
        provider: "offline",
        wireFormat: .offline,
        apiBase: ""
    )

    /// What it has to say about itself.
    package static let notice = """
        No model is configured, so this is Penguin's built-in offline model, which only echoes. To talk to a real \
        model, set OPENROUTER_API_KEY or OPENAI_API_KEY in the environment, or name a model with its api_base in \
        config/penguin.yaml, and start Penguin again.
        """

    /// An offline model; it has no state.
    package init() {}

    package func stream(_ request: ModelRequest) -> ModelEventStream {
        let said = request.messages.last { $0.role == .user }?.content ?? ""
        let shortened = said.count > Self.echoedCharactersMax ? said.prefix(Self.echoedCharactersMax) + "…" : said[...]
        let answer = said.isEmpty ? Self.notice : "\(Self.notice)\n\nYou wrote: \(shortened)"
        let pieces = request.streaming ? Self.words(of: answer) : [answer]
        let prompt = request.messages.reduce(0) { $0 + Self.tokens(in: $1.content) }
        let usage = TokenUsage(promptTokens: prompt, completionTokens: Self.tokens(in: answer))
        return ModelEventStream(pieces.map(ModelEvent.text) + [.usage(usage), .finish(.stop)])
    }

    private static func tokens(in text: String) -> Int {
        (text.count + self.charactersPerToken - 1) / self.charactersPerToken
    }

    /// The text cut after its spaces; nothing is lost.
    private static func words(of text: String) -> [String] {
        var words: [String] = []
        var start = text.startIndex
        while let space = text[start...].firstIndex(of: " ") {
            let next = text.index(after: space)
            words.append(String(text[start..<next]))
            start = next
        }
        if start < text.endIndex { words.append(String(text[start...])) }
        return words
    }
}
