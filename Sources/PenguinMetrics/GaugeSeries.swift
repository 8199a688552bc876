import CoreMetrics

/// A number that goes up and down: `Gauge` and `Meter` of the same name are the same series.
///
/// It may be set to anything. A step that is infinite or not a number is ignored, as no later step could mend it.
final class GaugeSeries: MetricSeries, MeterHandler, RecorderHandler {
    let id: SeriesID
    private let value = AtomicDouble(0)

    init(_ id: SeriesID) {
        self.id = id
    }

    func set(_ value: Int64) { self.value.store(Double(value)) }
    func set(_ value: Double) { self.value.store(value) }
    func record(_ value: Int64) { self.value.store(Double(value)) }
    func record(_ value: Double) { self.value.store(value) }

    func increment(by amount: Double) {
        guard amount.isFinite else { return }
        self.value.add(amount)
    }

    func decrement(by amount: Double) {
        self.increment(by: -amount)
    }

    func write(to text: inout ExpositionText) {
        text.addLine(self.id.family, self.id.labels, ExpositionText.number(self.value.load()))
    }
}
