/// Remembers what the model said.
final class Escape: @unchecked Sendable {
    nonisolated(unsafe) var state = 0

    // A reason that belongs to another line.

    func start() {
        Task.detached { self.state += 1 }
    }
}
