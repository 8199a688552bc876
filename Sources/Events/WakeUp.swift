import Synchronization

/// Wakes one waiter: a call that comes while nobody waits is kept, several of them are one.
package final class WakeUp: Sendable {
    private struct State {
        var isPending = false
        var waiter: CheckedContinuation<Void, Never>?
        /// Counts the waits, so that a late timer does not end the next one.
        var round = 0
        /// The last wait whose time is over or whose task was cancelled, which may be noticed before it waits.
        var overRound = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Wakes the waiter, or lets the next wait return at once.
    package func call() {
        let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiter else {
                state.isPending = true
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns when called, when `limit` is over, or when the task is cancelled.
    ///
    /// One waiter at a time.
    package func wait(within limit: Duration? = nil) async {
        let round = self.state.withLock { state in
            state.round += 1
            return state.round
        }
        // Ended by the cancel below or by its own sleep; nobody needs to await it.
        let timer = limit.map { limit in
            Task {
                try? await Task.sleep(for: limit)
                self.expire(round)
            }
        }
        defer { timer?.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = self.state.withLock { state in
                    precondition(state.waiter == nil, "two tasks wait for one WakeUp")
                    guard !state.isPending, state.overRound != round, !Task.isCancelled else {
                        state.isPending = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            self.expire(round)
        }
    }

    private func expire(_ round: Int) {
        let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.round == round else { return nil }
            state.overRound = round
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
