// PenguinMetrics: collects what is recorded through swift-metrics, and writes it as Prometheus' text format 0.0.4.

import CoreMetrics
import Synchronization

/// The metrics of a process: swift-metrics records into it, `GET /metrics` reads it.
///
/// Nothing is global: a part gets the registry and gives it to what it makes, as in
/// `Counter(label: "penguin_jobs", dimensions: [("kind", "chat")], factory: registry)`. Such an object should be made
/// once and kept: recording on it takes no lock but its own, making it looks its series up under the registry's.
///
/// | recorded through | exposed as | name |
/// |---|---|---|
/// | `Counter`, `FloatingPointCounter` | counter | gets `_total` |
/// | `Meter`, `Gauge` | gauge | as it is |
/// | `Timer` | histogram | gets `_seconds` |
/// | `Recorder` | histogram | as it is |
///
/// Names and labels are made ones that Prometheus takes (`PrometheusName`, `SeriesLabels`); the same name and labels
/// are the same series, whoever made it, until one of them is destroyed.
///
/// When there are `seriesMax` series, new counters and histograms share one of their family, `{overflow="true"}`, so
/// that sums over the family stay true; new gauges and new families are not exposed. Neither is what gives the name
/// of one kind of metric to another kind. `penguin_metrics_series_dropped_total` counts all of these.
///
/// Sources: swift-metrics `MetricsFactory`; Prometheus "Exposition formats" and "Metric and label naming".
package final class MetricsRegistry: Sendable {
    /// The `Content-Type` of `exposition()`.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The bounds of a histogram that is not described with bounds of its own: 5 ms to 10 s, for seconds.
    package static let defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private struct State {
        var table: SeriesTable
        var sources: [ScrapeSource] = []
    }

    private static let failuresName = "penguin_metrics_scrape_failures_total"

    private let seriesMax: Int
    private let scrapeTimeout: Duration
    private let state: Mutex<State>
    /// Also in the table; held here too, so that counting takes no lock.
    private let dropped = CounterSeries(
        SeriesID(family: "penguin_metrics_series_dropped_total", labels: SeriesLabels([]))
    )

    /// `seriesMax` holds for what is recorded, and once more for the samples of one scrape; `scrapeTimeout` is the time
    /// that all sources of a scrape have together.
    package init(seriesMax: Int = 2000, scrapeTimeout: Duration = .seconds(2)) {
        var table = SeriesTable(seriesMax: seriesMax)
        table.describe(
            self.dropped.id.family,
            MetricDescription(
                help: "Series that were folded into an overflow series or not exposed: too many, or of two kinds."
            )
        )
        table.describe(
            Self.failuresName,
            MetricDescription(help: "Scrapes in which a source of figures was late or failed and is missing.")
        )
        table.insert(self.dropped, kind: .counter)
        self.seriesMax = seriesMax
        self.scrapeTimeout = scrapeTimeout
        self.state = Mutex(State(table: table))
    }

    /// Says what a metric means, and how its histogram is divided; to be called before its first series is made.
    ///
    /// `name` is the one that is exposed, with `_total` or `_seconds`. `buckets` are upper bounds, inclusive and
    /// increasing, `+Inf` not among them; nil means `defaultBuckets`. A metric without a description is exposed too,
    /// with a sentence that says so. A later description replaces an earlier one.
    package func describe(_ name: String, help: String, buckets: [Double]? = nil) {
        let description = MetricDescription(help: help, buckets: buckets)
        self.state.withLock { $0.table.describe(name, description) }
    }

    /// Asks `read` for figures at every scrape, and all such sources at the same time.
    ///
    /// One that throws or is not back within the scrape's two seconds is left out, cancelled, and counted in
    /// `penguin_metrics_scrape_failures_total{source="<name>"}`; it is asked again once it is back. It must not block
    /// its thread for long. Two scrapes at the same time share one reading.
    package func onScrape(named name: String, _ read: @escaping @Sendable () async throws -> [MetricSample]) {
        let failures = self.makeCounter(label: Self.failuresName, dimensions: [("source", name)])
        let source = ScrapeSource(failures: failures, read: read)
        self.state.withLock { $0.sources.append(source) }
    }

    /// Everything there is, in text format 0.0.4 and a stable order; answers within the scrape's timeout.
    package func exposition() async -> String {
        let samples = await self.samples()
        var table = self.state.withLock { $0.table }
        table.makeRoom(for: self.seriesMax)
        for sample in samples where !table.add(sample) {
            self.dropped.increment()
        }
        return table.exposition()
    }

    /// What the sources say, in the order in which they were registered.
    private func samples() async -> [MetricSample] {
        let sources = self.state.withLock { $0.sources }
        let timeout = self.scrapeTimeout
        return await withTaskGroup(of: (Int, [MetricSample]).self) { group in
            for (index, source) in sources.enumerated() {
                group.addTask { (index, await source.samples(within: timeout)) }
            }
            var found = Array(repeating: [MetricSample](), count: sources.count)
            for await (index, samples) in group { found[index] = samples }
            return found.flatMap { $0 }
        }
    }

    /// The series of that name and labels, its family's overflow series, or nil when neither can be had.
    func series<Series: MetricSeries>(
        _ id: SeriesID,
        kind: MetricKind,
        make: (SeriesID, [Double]) -> Series
    ) -> Series? {
        switch self.state.withLock({ $0.table.place(id, kind: kind, make: make) }) {
        case .own(let series):
            return series
        case .overflow(let series):
            self.dropped.increment()
            return series
        case .none:
            self.dropped.increment()
            return nil
        }
    }

    /// Nothing happens to overflow series, which others record on, and to handlers that are not of this registry.
    func remove(_ handler: AnyObject) {
        guard let series = handler as? any MetricSeries else { return }
        self.state.withLock { $0.table.remove(series) }
    }
}
