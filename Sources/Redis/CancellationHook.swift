import Synchronization

/// Connects a task's cancellation, which may come at any moment, with an action that is known only later.
///
/// The action runs once: when `cancel()` comes after `arm`, or in `arm` when `cancel()` came before.
final class CancellationHook: Sendable {
    private enum State {
        case unarmed
        case armed(@Sendable () -> Void)
        case cancelled
    }

    private let state = Mutex(State.unarmed)

    func arm(_ action: @escaping @Sendable () -> Void) {
        let isCancelled = self.state.withLock { state in
            if case .cancelled = state { return true }
            state = .armed(action)
            return false
        }
        if isCancelled { action() }
    }

    func cancel() {
        let previous = self.state.withLock { state in
            defer { state = .cancelled }
            return state
        }
        if case .armed(let action) = previous { action() }
    }
}
