import CoreMetrics
import PenguinMetrics
import Testing

@Suite(.timeLimit(.minutes(1)))
struct HistogramTests {
    private let registry = MetricsRegistry()

    /// The counts of the buckets, in order, and the sum.
    private func figures(of name: String) async -> (buckets: [Int], sum: Double?) {
        let lines = await self.registry.lines(of: name).map { $0.split(separator: " ") }
        let buckets = lines.filter { $0[0].hasPrefix(name + "_bucket") }.compactMap { Int($0[1]) }
        let sum = lines.first { $0[0] == name + "_sum" }.flatMap { Double($0[1]) }
        return (buckets, sum)
    }

    private static let cases: [(value: Double, buckets: [Int])] = [
        (0, [1, 1, 1, 1]), (0.1, [1, 1, 1, 1]), (0.1.nextUp, [0, 1, 1, 1]), (1, [0, 1, 1, 1]),
        (1.0.nextUp, [0, 0, 1, 1]), (5, [0, 0, 1, 1]), (5.0.nextUp, [0, 0, 0, 1]), (1e300, [0, 0, 0, 1]),
        (-3, [1, 1, 1, 1]),
    ]

    @Test(arguments: cases)
    func `a value at a bound is in its bucket, a value above is not`(value: Double, buckets: [Int]) async {
        self.registry.describe("penguin_size", help: "Sizes.", buckets: [0.1, 1, 5])
        Recorder(label: "penguin_size", factory: self.registry).record(value)
        let figures = await self.figures(of: "penguin_size")
        #expect(figures.buckets == buckets)
        #expect(figures.sum == value)
    }

    @Test func `a timer's nanoseconds are seconds, and a negative time is none`() async {
        self.registry.describe("penguin_wait_seconds", help: "Waits.", buckets: [0.001, 1])
        let timer = Timer(label: "penguin_wait", factory: self.registry)
        timer.recordNanoseconds(1_000_000)
        timer.recordNanoseconds(1_000_001)
        timer.recordMilliseconds(1500)
        timer.recordNanoseconds(-5)
        let figures = await self.figures(of: "penguin_wait_seconds")
        #expect(figures.buckets == [2, 3, 4])
        #expect(abs((figures.sum ?? 0) - 1.502_000_001) < 1e-12)
    }

    @Test func `what is no number is not recorded`() async {
        let recorder = Recorder(label: "penguin_size", factory: self.registry)
        for value in [Double.nan, .infinity, -.infinity, 2] { recorder.record(value) }
        let figures = await self.figures(of: "penguin_size")
        #expect(figures.buckets.last == 1)
        #expect(figures.sum == 2)
    }

    @Test func `without a description there are the default buckets`() async {
        Timer(label: "penguin_wait", factory: self.registry).recordMilliseconds(300)
        #expect(await self.figures(of: "penguin_wait_seconds").buckets == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    }

    @Test func `a family keeps its buckets when it is described late`() async {
        Recorder(label: "penguin_size", dimensions: [("n", "1")], factory: self.registry).record(1)
        self.registry.describe("penguin_size", help: "Late.", buckets: [1])
        Recorder(label: "penguin_size", dimensions: [("n", "2")], factory: self.registry).record(1)
        let count = MetricsRegistry.defaultBuckets.count + 1
        #expect(await self.figures(of: "penguin_size").buckets.count == 2 * count)
        #expect(await self.registry.exposition().contains("# HELP penguin_size Late.\n"))
    }

    @Test func `buckets that do not increase are a mistake of ours`() async {
        await #expect(processExitsWith: .failure) {
            MetricsRegistry().describe("penguin_size", help: "Sizes.", buckets: [1, 1])
        }
    }
}
