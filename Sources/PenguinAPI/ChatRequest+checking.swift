import Domain

extension ChatRequest {
    /// Iterations that may be asked for.
    private static let iterationsAllowed = 1...1000
    private static let keyLengthAllowed = 1...255
    private static let delayMax = Duration.seconds(31_536_000)
    /// How far a clock of a client's may be behind ours.
    private static let pastMax = Duration.seconds(60)

    /// What is wrong with the request by itself.
    func problems(at now: Timestamp = .now) -> [PenguinError.Problem] {
        var problems = self.problemsOfTime(at: now)
        func refuse(_ field: String, _ message: String) {
            problems.append(PenguinError.Problem(loc: ["body", field], msg: message, type: "value"))
        }
        if self.text.allSatisfy(\.isWhitespace) { refuse("text", "must not be blank") }
        if let id = self.conversationID, ConversationID(validating: id) == nil {
            refuse("conversation_id", "must be 1 to 128 of A-Z a-z 0-9 _ . : -")
        }
        if !self.agentID.isAgentID { refuse("agent_id", "must be 1 to 64 of a-z 0-9 _ -") }
        if let iterations = self.maxIterations, !Self.iterationsAllowed.contains(iterations) {
            refuse("max_iterations", "must be from 1 to 1000")
        }
        if let key = self.idempotencyKey, let problem = Self.problem(ofKey: key) {
            refuse("idempotency_key", problem)
        }
        return problems
    }

    private func problemsOfTime(at now: Timestamp) -> [PenguinError.Problem] {
        var problem: (field: String, message: String)?
        if self.delay != nil, self.runAt != nil {
            problem = ("run_at", "must not be given together with delay_seconds")
        } else if let delay = self.delay, !(.zero...Self.delayMax).contains(delay) {
            problem = ("delay_seconds", "must be from 0 to 31536000")
        } else if let time = self.runAt, time < now - Self.pastMax {
            problem = ("run_at", "must not lie in the past")
        } else if let time = self.runAt, time > now + Self.delayMax {
            problem = ("run_at", "must not lie more than a year ahead")
        }
        return problem.map { [PenguinError.Problem(loc: ["body", $0.field], msg: $0.message, type: "value")] } ?? []
    }

    /// Why the text can be no idempotency key; nil when it can.
    package static func problem(ofKey text: String) -> String? {
        let isFit =
            Self.keyLengthAllowed.contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        return isFit ? nil : "must be 1 to 255 visible ASCII characters"
    }
}

extension ChatRequest {
    /// Whether the message is to wait, so that nobody should wait for its answer.
    package var isDelayed: Bool { self.runAt != nil || self.delay ?? .zero > .zero }

    /// When the message is due; nil for at once.
    func dueTime(at now: Timestamp) -> Timestamp? {
        guard self.isDelayed else { return nil }
        return self.runAt ?? self.delay.map { now + $0 }
    }
}
