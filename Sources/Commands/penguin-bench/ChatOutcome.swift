/// What became of one chat.
struct ChatOutcome: Sendable {
    let sentAt: Moment
    let firstTokenAt: Moment?
    let lastTokenAt: Moment?
    let endedAt: Moment
    /// When the provider wrote the first token, if it was asked to tell.
    let stamp: Moment?
    let tokens: Int
    /// Frames that carried text.
    let frames: Int
    /// Frames that replaced the text, because the server held us for too slow.
    let snapshots: Int
    /// What was wrong, if anything.
    let fault: String?

    /// Tokens per second while they flowed: without the time before the first frame and after the last.
    var flowPerSecond: Double? {
        guard let firstTokenAt, let lastTokenAt, firstTokenAt < lastTokenAt else { return nil }
        return Double(self.tokens - 1) / lastTokenAt.seconds(since: firstTokenAt)
    }

    /// Milliseconds from the provider's first byte to our first frame.
    var overhead: Double? {
        guard let stamp, let firstTokenAt else { return nil }
        return firstTokenAt.milliseconds(since: stamp)
    }
}

/// What many sockets brought.
struct ChatRun: Sendable {
    let span: HTTPLoad.Span
    let outcomes: [ChatOutcome]

    var tokens: Int { self.outcomes.reduce(0) { $0 + $1.tokens } }
    var frames: Int { self.outcomes.reduce(0) { $0 + $1.frames } }
    var snapshots: Int { self.outcomes.reduce(0) { $0 + $1.snapshots } }
    /// What all chats together brought while they flowed; 0 when an answer came as one frame.
    var flowPerSecond: Double { self.outcomes.reduce(0) { $0 + ($1.flowPerSecond ?? 0) } }
    var tokensPerSecond: Double { Double(self.tokens) / self.span.seconds }

    var faults: [String] { self.outcomes.compactMap(\.fault) }
}
