import TestSupport

/// Keeps two faults from one victim when the first takes longer than was planned.
actor VictimLocks {
    private var taken: Set<String> = []

    /// Runs `body` when all victims are free; false when they are not in time.
    func withVictims(
        _ victims: Set<String>,
        within limit: Duration,
        _ body: @Sendable () async throws -> Void
    ) async throws -> Bool {
        do {
            try await eventually(within: limit, "the victims are free") { self.take(victims) }
        } catch is NotInTime {
            return false
        }
        defer { self.taken.subtract(victims) }
        try await body()
        return true
    }

    private func take(_ victims: Set<String>) -> Bool {
        guard self.taken.isDisjoint(with: victims) else { return false }
        self.taken.formUnion(victims)
        return true
    }
}
