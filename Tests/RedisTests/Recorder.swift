import Synchronization

/// Collects values from callbacks, in order.
final class Recorder<Value: Sendable>: Sendable {
    private let storage = Mutex<[Value]>([])

    var values: [Value] { self.storage.withLock { $0 } }
    var count: Int { self.storage.withLock { $0.count } }

    func add(_ value: Value) {
        self.storage.withLock { $0.append(value) }
    }
}
