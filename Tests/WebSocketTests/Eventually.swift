/// Waits until the closure gives a value, looking every few milliseconds; throws when the deadline passes first.
@discardableResult
func eventually<T>(
    _ what: String,
    within limit: Duration = .seconds(10),
    isolation: isolated (any Actor)? = #isolation,
    _ look: () throws -> T?
) async throws -> T {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try look() { return value }
        guard ContinuousClock.now < deadline else { throw NeverHappened(what: what) }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Waits until the condition holds.
func eventually(
    _ what: String,
    within limit: Duration = .seconds(10),
    isolation: isolated (any Actor)? = #isolation,
    holds condition: () throws -> Bool
) async throws {
    try await eventually(what, within: limit) { try condition() ? true : nil }
}

/// Waits until the value is past `floor` and has not changed for a quarter of a second: until something has stopped.
func stands<T: Comparable>(
    _ what: String,
    past floor: T,
    isolation: isolated (any Actor)? = #isolation,
    _ value: () -> T
) async throws -> T {
    var last = (value: value(), since: ContinuousClock.now)
    return try await eventually("\(what) stands still") {
        let now = value()
        if now != last.value { last = (now, ContinuousClock.now) }
        return now > floor && ContinuousClock.now - last.since > .milliseconds(250) ? now : nil
    }
}

struct NeverHappened: Error, CustomStringConvertible {
    let what: String
    var description: String { "did not happen in time: \(self.what)" }
}
