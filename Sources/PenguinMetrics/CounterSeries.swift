import CoreMetrics
import Synchronization

/// A number that only grows: `Counter` and `FloatingPointCounter` of the same name are the same series.
///
/// Whole amounts are counted exactly; they begin anew at 2^64, which Prometheus takes for a restart. Amounts that are
/// negative, infinite or not a number are ignored.
final class CounterSeries: MetricSeries, CounterHandler, FloatingPointCounterHandler {
    let id: SeriesID
    private let whole = Atomic<UInt64>(0)
    /// The sum of the amounts that were not whole.
    private let rest = AtomicDouble(0)

    init(_ id: SeriesID) {
        self.id = id
    }

    func increment() {
        self.whole.wrappingAdd(1, ordering: .relaxed)
    }

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        self.whole.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }

    func increment(by amount: Double) {
        if let amount = UInt64(exactly: amount) {
            self.whole.wrappingAdd(amount, ordering: .relaxed)
        } else if amount > 0, amount.isFinite {
            self.rest.add(amount)
        }
    }

    func reset() {
        self.whole.store(0, ordering: .relaxed)
        self.rest.store(0)
    }

    func write(to text: inout ExpositionText) {
        let whole = self.whole.load(ordering: .relaxed)
        let rest = self.rest.load()
        let value = rest == 0 ? String(whole) : ExpositionText.number(Double(whole) + rest)
        text.addLine(self.id.family, self.id.labels, value)
    }
}
