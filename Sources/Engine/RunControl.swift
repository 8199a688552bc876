import Synchronization

/// Why a run is to end before its time.
package enum Interruption: Sendable, Equatable {
    /// Somebody asked for it.
    case cancelled
    /// Its time is up.
    case timeLimit
    /// The worker ends.
    case released
    /// The lease is lost, or may be.
    case leaseLost
}

/// The handle by which a run is ended from outside, in the middle of a turn if need be.
package final class RunControl: Sendable {
    private struct State {
        var interruption: Interruption?
        var cancel: (@Sendable () -> Void)?
    }

    /// When the attempt began.
    package let startedAt: ContinuousClock.Instant
    private let state = Mutex(State())

    package init(startedAt: ContinuousClock.Instant = .now) {
        self.startedAt = startedAt
    }

    /// The first reason that was given; later ones do not change it, except a lost lease, which outweighs all.
    package var interruption: Interruption? { self.state.withLock { $0.interruption } }

    /// Ends the run.
    ///
    /// May be called before it has begun.
    package func interrupt(_ reason: Interruption) {
        let cancel = self.state.withLock { state in
            if state.interruption == nil || reason == .leaseLost { state.interruption = reason }
            return state.cancel
        }
        cancel?()
    }

    /// What ends the run's task; called at once when the run is interrupted already.
    package func onInterrupt(_ cancel: @escaping @Sendable () -> Void) {
        let isInterrupted = self.state.withLock { state in
            state.cancel = cancel
            return state.interruption != nil
        }
        if isInterrupted { cancel() }
    }
}
