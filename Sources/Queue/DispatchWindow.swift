package import Store

/// How many jobs may be on the streams beyond those that run: enough that no worker waits, few enough that the streams
/// stay short and the order of the backlog is decided late.
package struct DispatchWindow: Sendable, Equatable {
    private let sizeMin: Int
    private var size: Int
    private var dispatched = 0
    /// Whether jobs wait in the ledger for a place: nobody overtakes them.
    var hasBacklog = false

    package init(sizeMin: Int) {
        self.sizeMin = sizeMin
        self.size = sizeMin
    }

    /// The jobs that may be dispatched now.
    package var room: Int { max(0, self.size - self.dispatched) }

    /// Takes the ledger's figures; `drainedRecently` is what was claimed here in the last 100 ms.
    package mutating func update(_ load: QueueLoad, drainedRecently: Int) {
        self.size = max(self.sizeMin, load.slots / 2, drainedRecently)
        self.dispatched = load.dispatched
    }

    /// Takes places for jobs that were dispatched from the backlog.
    mutating func take(_ count: Int) { self.dispatched += count }

    /// Takes a place for a job about to be submitted; false when there is none, or others wait.
    package mutating func reserve() -> Bool {
        guard self.room > 0, !self.hasBacklog else { return false }
        self.dispatched += 1
        return true
    }

    /// Gives back places: jobs were claimed, or a reservation was not used.
    package mutating func free(_ count: Int) {
        self.dispatched = max(0, self.dispatched - count)
    }
}
