import Synchronization

/// What the connections of a fake provider share.
final class FakeProviderState: Sendable {
    /// How many requests are kept.
    static let requestsMax = 1000
    /// How many counts of faults are kept.
    private static let faultsMax = 10_000
    /// Of so many texts it is known how often they were asked; of those that come later not.
    private static let talliesMax = 100_000

    private struct State {
        var counters = FakeProviderCounters()
        var requests: [FakeProviderRequest] = []
        /// How often the faults of a message have struck.
        var faults: [String: Int] = [:]
        var tallies: [String: FakeProviderTally] = [:]
    }

    let requiredKey: String?
    private let state = Mutex(State())

    init(requiredKey: String?) {
        self.requiredKey = requiredKey
    }

    var counters: FakeProviderCounters { self.state.withLock { $0.counters } }

    var requests: [FakeProviderRequest] { self.state.withLock { $0.requests } }

    var tallies: [String: FakeProviderTally] { self.state.withLock { $0.tallies } }

    func count(_ change: (inout FakeProviderCounters) -> Void) {
        self.state.withLock { change(&$0.counters) }
    }

    func record(_ request: FakeProviderRequest) {
        self.state.withLock { state in
            // Dropping half at once keeps the cost per request constant.
            if state.requests.count >= Self.requestsMax { state.requests.removeFirst(Self.requestsMax / 2) }
            state.requests.append(request)
            Self.count(request.lastUserMessage, &state) { tally in
                tally.requests += 1
                tally.before = request.beforeLastUserMessage
            }
        }
    }

    /// An answer to `text` is whole.
    func answered(_ text: String) {
        self.state.withLock { Self.count(text, &$0) { $0.answers += 1 } }
    }

    private static func count(_ text: String, _ state: inout State, _ change: (inout FakeProviderTally) -> Void) {
        guard state.tallies[text] != nil || state.tallies.count < self.talliesMax else { return }
        change(&state.tallies[text, default: FakeProviderTally()])
    }

    /// Whether a fault is to strike that strikes `times` times in all.
    func strikes(_ marker: String, times: Int) -> Bool {
        self.state.withLock { state in
            if state.faults.count >= Self.faultsMax { state.faults = [:] }
            state.faults[marker, default: 0] += 1
            return state.faults[marker, default: 0] <= times
        }
    }
}
