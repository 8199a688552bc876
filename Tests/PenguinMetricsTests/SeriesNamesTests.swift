import CoreMetrics
import PenguinMetrics
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SeriesNamesTests {
    private let registry = MetricsRegistry()

    @Test(arguments: [
        ("penguin_jobs", "penguin_jobs"), ("penguin.jobs-done", "penguin_jobs_done"), ("2nd", "_2nd"), ("", "_"),
        ("a:b", "a_b"), ("größe", "gr__e"), ("a\nb", "a_b"), ("🐧", "_"),
    ])
    func `a label becomes a metric's name`(label: String, name: String) async {
        Gauge(label: label, factory: self.registry).record(1)
        #expect(await self.registry.exposition().contains("# TYPE \(name) gauge\n\(name) 1\n"))
    }

    @Test(arguments: [
        ("path", "path"), ("http.path", "http_path"), ("le", "exported_le"), ("quantile", "exported_quantile"),
        ("__name__", "_name__"), ("___", "_"), ("9", "_9"), ("", "_"), ("a:b", "a_b"),
    ])
    func `a dimension becomes a label's name`(dimension: String, name: String) async {
        Gauge(label: "penguin", dimensions: [(dimension, "x")], factory: self.registry).record(1)
        #expect(await self.registry.lines(of: "penguin").first == "penguin{\(name)=\"x\"} 1")
    }

    @Test func `an ending is added once`() async {
        Counter(label: "penguin_a", factory: self.registry).increment()
        Counter(label: "penguin_a_total", factory: self.registry).increment()
        Timer(label: "penguin_b", factory: self.registry).recordSeconds(1)
        Timer(label: "penguin_b_seconds", factory: self.registry).recordSeconds(1)
        #expect(await self.registry.lines(of: "penguin_a_total") == ["penguin_a_total 2"])
        #expect(await self.registry.lines(of: "penguin_b_seconds_count") == ["penguin_b_seconds_count 2"])
    }

    @Test func `a label without a value is no label, and of two with one name the first is kept`() async {
        let dimensions = [("empty", ""), ("a.b", "1"), ("a_b", "2")]
        Gauge(label: "penguin_level", dimensions: dimensions, factory: self.registry).record(1)
        Gauge(label: "penguin_level", dimensions: [("a-b", "1")], factory: self.registry).record(2)
        #expect(await self.registry.lines(of: "penguin_level") == [#"penguin_level{a_b="1"} 2"#])
    }
}
