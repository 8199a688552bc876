/// One measurement: puts some load on the rig and says what came out.
///
/// It looks at every answer: a token that is missing, twice, in the wrong place or of another chat is a fault of its
/// figure, however fast it came. What it throws is a fault too, and the other scenarios go on.
protocol Scenario: Sendable {
    /// What `--only` takes.
    static var name: String { get }

    func run(on rig: Rig) async throws -> [Figure]
}

/// How much is measured.
struct Effort: Sendable {
    let isQuick: Bool
    /// Times that each figure is measured, after a warm-up.
    let runs: Int

    func pick<Value>(quick: Value, full: Value) -> Value { self.isQuick ? quick : full }
}
