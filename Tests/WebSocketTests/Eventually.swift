import TestSupport

/// Waits until the closure gives a value, looking every few milliseconds; throws when the deadline passes first.
@discardableResult
func eventually<T>(
    _ what: String,
    within limit: Duration = .seconds(10),
    isolation: isolated (any Actor)? = #isolation,
    _ look: () throws -> T?
) async throws -> T {
    var found: T?
    try await TestSupport.eventually(within: limit, what) {
        found = try look()
        return found != nil
    }
    guard let found else { throw NotInTime(description: what) }
    return found
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
