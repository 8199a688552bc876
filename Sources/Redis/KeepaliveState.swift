import NIOCore

/// Finds connections that are dead without saying so: after a silence it asks, and after more silence it gives up.
struct KeepaliveState: Sendable {
    enum Decision: Equatable {
        /// Look again then.
        case wait(until: NIODeadline)
        /// Send `PING` and look again then.
        case ping(thenWaitUntil: NIODeadline)
        /// Nothing came, not even the answer to `PING`.
        case dead
    }

    let idleBeforePing: TimeAmount
    let answerWithin: TimeAmount
    private var heardAt: NIODeadline
    private var askedAt: NIODeadline?

    init(idleBeforePing: TimeAmount, answerWithin: TimeAmount, now: NIODeadline) {
        self.idleBeforePing = idleBeforePing
        self.answerWithin = answerWithin
        self.heardAt = now
    }

    /// Any bytes are a sign of life.
    mutating func heard(at now: NIODeadline) {
        self.heardAt = now
        self.askedAt = nil
    }

    mutating func tick(now: NIODeadline) -> Decision {
        if let askedAt = self.askedAt {
            let limit = askedAt + self.answerWithin
            return now < limit ? .wait(until: limit) : .dead
        }
        let idleUntil = self.heardAt + self.idleBeforePing
        guard now >= idleUntil else { return .wait(until: idleUntil) }
        self.askedAt = now
        return .ping(thenWaitUntil: now + self.answerWithin)
    }
}
