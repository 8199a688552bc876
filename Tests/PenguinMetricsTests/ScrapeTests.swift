import CoreMetrics
import PenguinMetrics
import Synchronization
import Testing
import TestSupport

/// Sources that are asked at a scrape, and that are slow, broken or gone.
@Suite(.timeLimit(.minutes(1)))
struct ScrapeTests {
    private static let failures = "penguin_metrics_scrape_failures_total"

    private struct Broken: Error {}

    @Test func `samples stand among what was recorded`() async {
        let registry = MetricsRegistry()
        registry.describe("penguin_jobs", help: "Described.")
        Gauge(label: "penguin_jobs", dimensions: [("state", "a")], factory: registry).record(1)
        registry.onScrape(named: "first") {
            [
                MetricSample("penguin_jobs", help: "Sampled.", labels: ["state": "b"], value: 2),
                MetricSample("penguin_calls", .counter, help: "Calls.", value: 3),
            ]
        }
        registry.onScrape(named: "second") { [MetricSample("penguin_calls", .counter, labels: ["x": "y"], value: 4)] }
        let text = await registry.exposition()
        #expect(text.contains("# HELP penguin_jobs Described.\n"))
        #expect(text.contains("penguin_jobs{state=\"a\"} 1\npenguin_jobs{state=\"b\"} 2\n"))
        #expect(text.contains("# HELP penguin_calls_total Calls.\n# TYPE penguin_calls_total counter\n"))
        #expect(text.contains("penguin_calls_total 3\npenguin_calls_total{x=\"y\"} 4\n"))
        #expect(await registry.exposition() == text)
    }

    @Test func `a sample that is there already, or of another kind, is left out and counted`() async {
        let registry = MetricsRegistry()
        Gauge(label: "penguin_jobs", factory: registry).record(1)
        Recorder(label: "penguin_sizes", factory: registry).record(1)
        registry.onScrape(named: "clashing") {
            [
                MetricSample("penguin_jobs", value: 2),
                MetricSample("penguin_new", value: 3),
                MetricSample("penguin_new", value: 4),
                MetricSample("penguin_sizes_sum", value: 5),
            ]
        }
        let text = await registry.exposition()
        #expect(text.contains("\npenguin_jobs 1\n") && text.contains("\npenguin_new 3\n"))
        #expect(!text.contains("penguin_sizes_sum 5"))
        #expect(text.contains("penguin_metrics_series_dropped_total 3\n"))
    }

    @Test func `a deaf source is left out and counted, and asked again once it is back`() async throws {
        let registry = MetricsRegistry(scrapeTimeout: .milliseconds(50))
        let gate = Gate()
        let readings = Mutex(0)
        registry.onScrape(named: "deaf") {
            readings.withLock { $0 += 1 }
            await gate.pass()
            return [MetricSample("penguin_late_jobs", value: 1)]
        }
        registry.onScrape(named: "well") { [MetricSample("penguin_jobs", value: 1)] }
        for scrape in 1...3 {
            let text = await registry.exposition()
            #expect(text.contains("\npenguin_jobs 1\n") && !text.contains("penguin_late_jobs"))
            #expect(text.contains("\(Self.failures){source=\"deaf\"} \(scrape)\n"))
            #expect(text.contains("\(Self.failures){source=\"well\"} 0\n"))
        }
        #expect(readings.withLock { $0 } == 1)
        gate.open()
        try await eventually("the source is back") { await registry.lines(of: "penguin_late_jobs").count == 1 }
        #expect(readings.withLock { $0 } == 2)
    }

    @Test func `a late source is cancelled`() async throws {
        let registry = MetricsRegistry(scrapeTimeout: .milliseconds(50))
        let isCancelled = Mutex(false)
        registry.onScrape(named: "slow") {
            await hang()
            isCancelled.withLock { $0 = Task.isCancelled }
            return [MetricSample("penguin_jobs", value: 1)]
        }
        #expect(await registry.lines(of: "penguin_jobs").isEmpty)
        try await eventually("the source was cancelled") { isCancelled.withLock { $0 } }
    }

    @Test func `a source that throws is left out and counted`() async {
        let registry = MetricsRegistry()
        registry.onScrape(named: "broken") { throw Broken() }
        #expect(await registry.lines(of: Self.failures) == ["\(Self.failures){source=\"broken\"} 1"])
        #expect(await registry.lines(of: Self.failures) == ["\(Self.failures){source=\"broken\"} 2"])
    }

    @Test func `scrapes at the same time share one reading`() async throws {
        let registry = MetricsRegistry(scrapeTimeout: .seconds(30))
        let readings = Mutex(0)
        registry.onScrape(named: "shared") {
            let number = readings.withLock { readings in
                readings += 1
                return readings
            }
            for _ in 0..<100 { await Task.yield() }
            return [MetricSample("penguin_reading", value: Double(number))]
        }
        // Nobody can see that a scrape waits, so scrapes are made until two have met.
        try await eventually(within: .seconds(20), "two scrapes got the same reading") {
            async let first = registry.lines(of: "penguin_reading")
            async let second = registry.lines(of: "penguin_reading")
            let lines = await [first, second]
            #expect(lines.allSatisfy { $0.count == 1 })
            return lines[0] == lines[1]
        }
    }
}
