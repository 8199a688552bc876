/// Plays somebody who takes his time: a slow reader, a slow handler.
///
/// Not for waiting: that is `eventually`.
package func dawdle(for time: Duration) async {
    // A cancelled dawdler just goes on.
    try? await Task.sleep(for: time)
}

/// Plays somebody who never comes back, until the task is cancelled.
package func hang() async {
    while !Task.isCancelled { await dawdle(for: .seconds(60)) }
}
