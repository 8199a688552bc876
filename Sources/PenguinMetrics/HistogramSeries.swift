import CoreMetrics
import Synchronization

/// How often values were below each of some bounds: what `Timer` and `Recorder` record on.
///
/// A timer's nanoseconds are seconds here; one that ran backwards counts as 0. Values that are infinite or not a number
/// are ignored, as the sum would never be a number again.
final class HistogramSeries: MetricSeries, RecorderHandler, TimerHandler {
    private struct State {
        /// One for each bound, values above its predecessor's; the last one for what is above all bounds.
        var counts: [UInt64]
        var sum = 0.0
    }

    let id: SeriesID
    private let bounds: [Double]
    private let state: Mutex<State>

    /// `buckets` are inclusive upper bounds, increasing and finite.
    init(_ id: SeriesID, buckets: [Double]) {
        self.id = id
        self.bounds = buckets
        self.state = Mutex(State(counts: Array(repeating: 0, count: buckets.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) {
        self.record(Double(max(duration, 0)) / 1e9)
    }

    func record(_ value: Int64) {
        self.record(Double(value))
    }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        let bucket = self.bounds.firstIndex { value <= $0 } ?? self.bounds.count
        self.state.withLock { state in
            state.counts[bucket] &+= 1
            state.sum += value
        }
    }

    func write(to text: inout ExpositionText) {
        // Copied element by element: were the array shared, the next value recorded would have to copy it.
        let (counts, sum) = self.state.withLock { state in (state.counts.map { $0 }, state.sum) }
        var total: UInt64 = 0
        for (bound, count) in zip(self.bounds + [.infinity], counts) {
            total &+= count
            text.addLine(self.id.family, suffix: "_bucket", self.id.labels, bound: bound, String(total))
        }
        text.addLine(self.id.family, suffix: "_sum", self.id.labels, ExpositionText.number(sum))
        text.addLine(self.id.family, suffix: "_count", self.id.labels, String(total))
    }
}
