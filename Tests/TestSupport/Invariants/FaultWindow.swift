package import Domain

/// A fault that was put on a run, from its begin to when everything was as before.
package struct FaultWindow: Sendable, Equatable {
    /// What it can do to jobs; a checker makes allowances only for what is documented.
    package enum Effect: String, Sendable, CaseIterable {
        /// Workers die or sleep, so leases are lost.
        case worker
        /// Workers are told to end.
        case restart
        case web
        case redis
        case provider
        case clients
    }

    package var name: String
    package var effects: Set<Effect>
    package var began: Timestamp
    package var ended: Timestamp

    package init(name: String, effects: Set<Effect>, began: Timestamp, ended: Timestamp) {
        self.name = name
        self.effects = effects
        self.began = began
        self.ended = ended
    }

    /// Whether it, or what it left behind for `aftermath`, fell into a time.
    func touches(from begin: Timestamp, to end: Timestamp, aftermath: Int64) -> Bool {
        self.began.milliseconds <= end.milliseconds && begin.milliseconds <= self.ended.milliseconds + aftermath
    }
}
