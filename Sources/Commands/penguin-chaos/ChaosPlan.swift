/// Who says what when, and what goes wrong when: all of it from the seed.
struct ChaosPlan: Sendable, Equatable {
    let shape: ChaosShape
    /// By time.
    let messages: [PlannedMessage]
    /// By time.
    let faults: [PlannedFault]
    /// How long Redis keeps the logs of ended jobs; in some runs so short that late followers ask the ledger.
    let logSeconds: Int

    init(_ shape: ChaosShape) {
        self.shape = shape
        // Generators of their own, so that the choice of faults does not change the load.
        var mixer = SeededGenerator(seed: shape.seed)
        var load = SeededGenerator(seed: mixer.next())
        var faults = SeededGenerator(seed: mixer.next())
        self.logSeconds = mixer.happens(percent: 25) ? 5 : 3600
        self.messages = LoadPlanner(shape: shape).messages(&load)
        self.faults = FaultPlanner(shape: shape).faults(&faults)
    }

    /// A number that is the same for the same plan: FNV-1a over all of it.
    var fingerprint: String {
        let text = self.messages.map { "\($0)" }.joined() + self.faults.map { "\($0)" }.joined() + "\(self.logSeconds)"
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }

    /// For people: the load in a line, then each fault in one.
    var description: String {
        let ways = Dictionary(grouping: self.messages, by: \.way).mapValues(\.count)
        let counts = PlannedMessage.Way.allCases.map { "\(ways[$0] ?? 0) by \($0.rawValue)" }.joined(separator: ", ")
        let cancels = self.messages.count { $0.cancelAfter != nil }
        let returns = self.messages.reduce(0) { $0 + $1.leavesAfter.count }
        let load =
            "seed \(self.shape.seed): \(self.messages.count) messages (\(counts)) in \(self.shape.conversations) conversations "
            + "over \(self.shape.milliseconds / 1000) s, \(cancels) cancels, \(returns) times away and back, "
            + "logs kept \(self.logSeconds) s, plan \(self.fingerprint)"
        return ([load] + self.faults.map { "  " + $0.description }).joined(separator: "\n")
    }
}
