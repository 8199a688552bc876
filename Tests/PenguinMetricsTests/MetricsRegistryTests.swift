import CoreMetrics
import PenguinMetrics
import Testing

@Suite(.timeLimit(.minutes(1)))
struct MetricsRegistryTests {
    private let registry = MetricsRegistry()

    @Test func `the same name and labels are the same series`() async {
        let dimensions = [("b", "2"), ("a", "1")]
        Counter(label: "penguin.things", dimensions: dimensions, factory: self.registry).increment(by: 2)
        Counter(label: "penguin_things_total", dimensions: dimensions.reversed(), factory: self.registry).increment()
        FloatingPointCounter(label: "penguin-things", dimensions: dimensions, factory: self.registry).increment(by: 0.5)
        let other = Counter(label: "penguin_things", dimensions: [("a", "1")], factory: self.registry)
        other.increment()
        #expect(
            await self.registry.lines(of: "penguin_things_total") == [
                #"penguin_things_total{a="1"} 1"#, #"penguin_things_total{a="1",b="2"} 3.5"#,
            ]
        )
    }

    @Test func `a destroyed series is gone and comes back at zero`() async {
        let dimensions = [("a", "1")]
        func counter() -> Counter { Counter(label: "penguin_things", dimensions: dimensions, factory: self.registry) }
        let first = counter()
        first.increment(by: 5)
        first.destroy()
        #expect(!(await self.registry.exposition().contains("penguin_things")))
        let second = counter()
        // What is gone stays gone, and takes nobody along.
        first.increment()
        first.destroy()
        second.increment()
        #expect(await self.registry.lines(of: "penguin_things_total") == [#"penguin_things_total{a="1"} 1"#])
    }

    @Test func `every kind can be destroyed`() async {
        let empty = await self.registry.exposition()
        let meter = Meter(label: "penguin_meter", factory: self.registry)
        let gauge = Gauge(label: "penguin_gauge", factory: self.registry)
        let timer = Timer(label: "penguin_timer", factory: self.registry)
        let recorder = Recorder(label: "penguin_recorder", factory: self.registry)
        let counter = FloatingPointCounter(label: "penguin_counter", factory: self.registry)
        let full = await self.registry.exposition()
        for name in ["meter", "gauge", "timer_seconds", "recorder", "counter_total"] {
            #expect(full.contains("# TYPE penguin_\(name) "))
        }
        meter.destroy()
        gauge.destroy()
        timer.destroy()
        recorder.destroy()
        counter.destroy()
        #expect(await self.registry.exposition() == empty)
    }

    @Test func `a counter counts exactly and never goes back`() async {
        let counter = Counter(label: "penguin_things", factory: self.registry)
        counter.increment(by: Int64.max)
        counter.increment(by: -5)
        let rest = FloatingPointCounter(label: "penguin_things", factory: self.registry)
        for amount in [-1.0, .nan, .infinity, -.infinity, 0, 1] { rest.increment(by: amount) }
        #expect(await self.registry.lines(of: "penguin_things_total") == ["penguin_things_total 9223372036854775808"])
        counter.reset()
        #expect(await self.registry.lines(of: "penguin_things_total") == ["penguin_things_total 0"])
    }

    @Test func `a gauge is set and stepped`() async {
        let meter = Meter(label: "penguin_load", factory: self.registry)
        meter.set(3)
        meter.increment(by: 1.5)
        meter.increment(by: Double.nan)
        meter.increment(by: Double.infinity)
        meter.decrement()
        #expect(await self.registry.lines(of: "penguin_load") == ["penguin_load 3.5"])
        Gauge(label: "penguin_load", factory: self.registry).record(7)
        #expect(await self.registry.lines(of: "penguin_load") == ["penguin_load 7"])
    }

    @Test func `many tasks together lose nothing`() async {
        let (tasks, rounds) = (16, 5000)
        let registry = self.registry
        registry.describe("penguin_wait_seconds", help: "Waits.", buckets: [1, 2])
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask { await Self.record(on: registry, rounds: rounds, step: task.isMultiple(of: 2) ? 2 : 1) }
            }
        }
        let all = tasks * rounds
        #expect(await registry.lines(of: "penguin_things_total") == ["penguin_things_total \(all)"])
        #expect(await registry.lines(of: "penguin_halves_total") == ["penguin_halves_total \(all / 2)"])
        #expect(await registry.lines(of: "penguin_level") == ["penguin_level \(all * 3 / 2)"])
        #expect(
            await registry.lines(of: "penguin_wait_seconds") == [
                #"penguin_wait_seconds_bucket{le="1"} \#(all / 2)"#,
                #"penguin_wait_seconds_bucket{le="2"} \#(all * 3 / 4)"#,
                #"penguin_wait_seconds_bucket{le="+Inf"} \#(all)"#,
                "penguin_wait_seconds_sum \(all * 3 / 2)",
                "penguin_wait_seconds_count \(all)",
            ]
        )
    }

    /// One task's part: on series that all share, with a scrape now and then.
    private static func record(on registry: MetricsRegistry, rounds: Int, step: Double) async {
        let counter = Counter(label: "penguin_things", factory: registry)
        let halves = FloatingPointCounter(label: "penguin_halves", factory: registry)
        let timer = Timer(label: "penguin_wait", factory: registry)
        let meter = Meter(label: "penguin_level", factory: registry)
        for round in 0..<rounds {
            counter.increment()
            halves.increment(by: 0.5)
            timer.recordSeconds(round % 4)
            meter.increment(by: step)
            if round.isMultiple(of: 1000) { _ = await registry.exposition() }
        }
    }

    @Test func `a name of two kinds is exposed as the first`() async {
        Gauge(label: "penguin_size", factory: self.registry).record(1)
        Recorder(label: "penguin_size", factory: self.registry).record(2)
        Recorder(label: "penguin_weight", factory: self.registry).record(2)
        Gauge(label: "penguin_weight_sum", factory: self.registry).record(3)
        Gauge(label: "penguin_height_count", factory: self.registry).record(4)
        Recorder(label: "penguin_height", factory: self.registry).record(5)
        #expect(await self.registry.lines(of: "penguin_size") == ["penguin_size 1"])
        #expect(await self.registry.lines(of: "penguin_weight_sum") == ["penguin_weight_sum 2"])
        #expect(await self.registry.lines(of: "penguin_height") == ["penguin_height_count 4"])
        #expect(await self.registry.lines(of: Self.dropped) == ["\(Self.dropped) 3"])
    }

    static let dropped = "penguin_metrics_series_dropped_total"
}
