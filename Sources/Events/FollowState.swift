import Domain

/// Decides about each event of a job that reaches a follower: send it, drop it, or read the log first.
///
/// Live events may come twice, late or not at all; the log has each once and in order. A follower that obeys this sends
/// every event exactly once, in order, wherever its cursor was.
struct FollowState {
    enum Verdict: Equatable {
        /// The direct successor of what was sent.
        case send
        /// Sent already.
        case drop
        /// Something is missing before it.
        case gap
    }

    /// The last event that was sent.
    private(set) var cursor: EventID
    private(set) var isEnded = false

    init(after cursor: EventID) {
        self.cursor = cursor
    }

    /// Judges a live event.
    ///
    /// A change of epoch is a gap: only the log knows how the old one ended.
    mutating func judge(live id: EventID, _ type: EventType) -> Verdict {
        if id <= self.cursor || self.isEnded { return .drop }
        guard id == self.cursor.next else { return .gap }
        self.sent(id, type)
        return .send
    }

    /// Notes an event that was read from the log, which is always the next one there is.
    mutating func sent(_ id: EventID, _ type: EventType) {
        self.cursor = id
        self.isEnded = type.isTerminal
    }
}
