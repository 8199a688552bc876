/// What is asked of a chat, and so what has to come back.
struct ChatOrder: Sendable {
    /// The prompt: directives of the fake provider; needs no escapes in JSON.
    let prompt: String
    /// The tokens of the answer.
    let tokens: Int
    /// Whether the first token tells when the provider wrote it.
    let isStamped: Bool
    /// The answer `tok0 tok1 … `, from the first token that is no stamp.
    let expected: [UInt8]

    /// `delay` and other directives go into `extra`.
    init(tokens: Int, isStamped: Bool = false, extra: String = "") {
        let stamp = isStamped ? " stamp" : ""
        let tail = extra.isEmpty ? "" : " " + extra
        self.prompt = "[[tokens=\(tokens)\(stamp)\(tail)]]"
        self.tokens = tokens
        self.isStamped = isStamped
        self.expected = Array(((isStamped ? 1 : 0)..<tokens).map { "tok\($0) " }.joined().utf8)
    }
}
