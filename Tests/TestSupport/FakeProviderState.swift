import Synchronization

/// What the connections of a fake provider share.
final class FakeProviderState: Sendable {
    /// How many requests are kept.
    static let requestsMax = 1000
    /// How many counts of faults are kept.
    private static let faultsMax = 10_000

    private struct State {
        var counters = FakeProviderCounters()
        var requests: [FakeProviderRequest] = []
        /// How often the faults of a message have struck.
        var faults: [String: Int] = [:]
    }

    let requiredKey: String?
    private let state = Mutex(State())

    init(requiredKey: String?) {
        self.requiredKey = requiredKey
    }

    var counters: FakeProviderCounters { self.state.withLock { $0.counters } }

    var requests: [FakeProviderRequest] { self.state.withLock { $0.requests } }

    func count(_ change: (inout FakeProviderCounters) -> Void) {
        self.state.withLock { change(&$0.counters) }
    }

    func record(_ request: FakeProviderRequest) {
        self.state.withLock { state in
            // Dropping half at once keeps the cost per request constant.
            if state.requests.count >= Self.requestsMax { state.requests.removeFirst(Self.requestsMax / 2) }
            state.requests.append(request)
        }
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
