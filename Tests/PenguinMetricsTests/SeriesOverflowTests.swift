import CoreMetrics
import PenguinMetrics
import Testing

/// More series than a registry takes, as when a client's text gets into a label.
@Suite(.timeLimit(.minutes(1)))
struct SeriesOverflowTests {
    private static let dropped = MetricsRegistryTests.dropped
    /// Room for three besides the registry's own counter.
    private let registry = MetricsRegistry(seriesMax: 4)

    private func counter(_ value: String) -> Counter {
        Counter(label: "penguin_calls", dimensions: [("path", value)], factory: self.registry)
    }

    @Test func `latecomers share one series, so that the sum stays true`() async {
        for number in 0..<10 { self.counter("\(number)").increment() }
        self.counter("0").increment()
        #expect(
            await self.registry.lines(of: "penguin_calls_total") == [
                #"penguin_calls_total{overflow="true"} 7"#,
                #"penguin_calls_total{path="0"} 2"#,
                #"penguin_calls_total{path="1"} 1"#,
                #"penguin_calls_total{path="2"} 1"#,
            ]
        )
        #expect(await self.registry.lines(of: Self.dropped) == ["\(Self.dropped) 7"])
    }

    @Test func `a destroyed series makes room, a destroyed latecomer does not`() async {
        let counters = (0..<5).map { self.counter("\($0)") }
        for counter in counters { counter.increment() }
        counters[4].destroy()
        self.counter("late").increment()
        counters[0].destroy()
        self.counter("new").increment()
        #expect(
            await self.registry.lines(of: "penguin_calls_total") == [
                #"penguin_calls_total{overflow="true"} 3"#,
                #"penguin_calls_total{path="1"} 1"#,
                #"penguin_calls_total{path="2"} 1"#,
                #"penguin_calls_total{path="new"} 1"#,
            ]
        )
    }

    @Test func `late gauges and late families are not exposed, and recording on them does nothing`() async {
        for number in 0..<5 {
            Gauge(label: "penguin_level", dimensions: [("n", "\(number)")], factory: self.registry).record(1)
        }
        let before = await self.registry.exposition()
        let timer = Timer(label: "penguin_late", factory: self.registry)
        timer.recordSeconds(1)
        timer.destroy()
        let after = await self.registry.exposition()
        #expect(await self.registry.lines(of: "penguin_level").count == 3)
        #expect(!after.contains("penguin_late") && !after.contains("overflow=\"true\""))
        #expect(before.contains("\(Self.dropped) 2\n") && after.contains("\(Self.dropped) 3\n"))
    }

    @Test func `histograms overflow too`() async {
        for number in 0..<5 {
            Recorder(label: "penguin_size", dimensions: [("n", "\(number)")], factory: self.registry).record(number)
        }
        let lines = await self.registry.lines(of: "penguin_size_sum")
        #expect(lines.contains(#"penguin_size_sum{overflow="true"} 7"#))
    }

    @Test func `samples of a scrape have room of their own, and not more`() async {
        for number in 0..<10 { self.counter("\(number)").increment() }
        self.registry.onScrape(named: "many") {
            (0..<10).map { MetricSample("penguin_sampled", labels: ["n": "\($0)"], value: 1) }
        }
        let before = await self.registry.exposition()
        #expect(await self.registry.lines(of: "penguin_sampled").count == 4)
        // Seven latecomers, the source's own counter of failures, and six samples.
        #expect(before.contains("\(Self.dropped) 14\n"))
    }

    @Test func `a long label is cut`() async throws {
        self.counter(String(repeating: "é", count: 100_000)).increment()
        let line = try #require(await self.registry.lines(of: "penguin_calls_total").first)
        #expect(line.utf8.count < 300)
    }
}
