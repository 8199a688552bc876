/// Something did not become true in time.
package struct NotInTime: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) {
        self.description = description
    }
}

/// Asks again and again, every few milliseconds, until the condition is true; throws `NotInTime` when `limit` is over.
///
/// An error of the condition ends the wait at once.
package func eventually(
    within limit: Duration = .seconds(5),
    _ what: String,
    isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let end = clock.now + limit
    var pause = Duration.milliseconds(1)
    while true {
        if try await condition() { return }
        guard clock.now < end else { throw NotInTime(description: "not within \(limit): \(what)") }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(20))
    }
}
