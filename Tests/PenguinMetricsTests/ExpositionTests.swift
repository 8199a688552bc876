import CoreMetrics
import Foundation
import PenguinMetrics
import Testing
import TestSupport

/// What `GET /metrics` answers, judged by Prometheus' own `promtool`.
@Suite(.timeLimit(.minutes(1)))
struct ExpositionTests {
    /// Label values that a careless writer would break the format with.
    private static let nastyValues = [
        "quote \" in", "line\nfeed", "carriage\r\nreturn", "back\\slash", "trailing\\", "\\n", "", " ", "{a=\"b\"} 1",
        "# HELP", "naïve 東京 🐧", "e\u{301}", "tab\tnul\u{0}", "\u{2028}", String(repeating: "🐧", count: 500),
    ]

    @Test func `a registry with every kind of series and nasty labels passes promtool`() async throws {
        let registry = Self.nastyRegistry()
        registry.onScrape(named: "process") { try ProcessFigures().samples() }
        let (status, output) = try await Self.promtool(await registry.exposition())
        #expect(status == 0)
        #expect(output.isEmpty)
    }

    @Test func `promtool refuses what is wrong`() async throws {
        let (status, output) = try await Self.promtool("# TYPE penguin_things counter\npenguin_things{a=\"\n\"} 1\n")
        #expect(status != 0)
        #expect(!output.isEmpty)
    }

    @Test func `an exposition reads as documented`() async throws {
        let registry = MetricsRegistry()
        registry.describe("penguin_job_run_seconds", help: "How long\na \\ run \"takes\".", buckets: [0.5, 2])
        registry.describe("penguin_jobs_total", help: "Jobs.")
        let run = Timer(label: "penguin.job.run", dimensions: [("kind", "chat")], factory: registry)
        run.recordMilliseconds(500)
        run.recordSeconds(1)
        run.recordSeconds(3)
        Counter(label: "penguin_jobs", dimensions: [("state", "done"), ("kind", "chat")], factory: registry)
            .increment(by: 3)
        Counter(label: "penguin_jobs", factory: registry).increment()
        Gauge(label: "penguin_load", factory: registry).record(0.25)
        registry.onScrape(named: "queue") {
            [
                MetricSample("penguin_queue_jobs", help: "Waiting.", labels: ["lane": "b"], value: 2),
                MetricSample("penguin_queue_jobs", help: "Waiting.", labels: ["lane": "a"], value: 1e18),
            ]
        }
        #expect(
            await registry.exposition() == #"""
                # HELP penguin_job_run_seconds How long\na \\ run "takes".
                # TYPE penguin_job_run_seconds histogram
                penguin_job_run_seconds_bucket{kind="chat",le="0.5"} 1
                penguin_job_run_seconds_bucket{kind="chat",le="2"} 2
                penguin_job_run_seconds_bucket{kind="chat",le="+Inf"} 3
                penguin_job_run_seconds_sum{kind="chat"} 4.5
                penguin_job_run_seconds_count{kind="chat"} 3
                # HELP penguin_jobs_total Jobs.
                # TYPE penguin_jobs_total counter
                penguin_jobs_total 1
                penguin_jobs_total{kind="chat",state="done"} 3
                # HELP penguin_load Nobody has described penguin_load.
                # TYPE penguin_load gauge
                penguin_load 0.25
                # HELP penguin_metrics_scrape_failures_total Scrapes in which a source of figures was late or failed and is missing.
                # TYPE penguin_metrics_scrape_failures_total counter
                penguin_metrics_scrape_failures_total{source="queue"} 0
                # HELP penguin_metrics_series_dropped_total Series that were folded into an overflow series or not exposed: too many, or of two kinds.
                # TYPE penguin_metrics_series_dropped_total counter
                penguin_metrics_series_dropped_total 0
                # HELP penguin_queue_jobs Waiting.
                # TYPE penguin_queue_jobs gauge
                penguin_queue_jobs{lane="a"} 1000000000000000000
                penguin_queue_jobs{lane="b"} 2

                """#
        )
    }

    @Test(arguments: [
        (Double.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (-0.0, "0"), (-2, "-2"), (0.1, "0.1"),
        (5e-300, "5e-300"), (1e300, "1e+300"), (9_007_199_254_740_992, "9007199254740992"),
    ])
    func `a number is written as Go reads it`(value: Double, text: String) async {
        let registry = MetricsRegistry()
        Gauge(label: "penguin_number", factory: registry).record(value)
        #expect(await registry.lines(of: "penguin_number") == ["penguin_number \(text)"])
    }

    /// Every kind of series, once for each nasty value and with nasty names.
    private static func nastyRegistry() -> MetricsRegistry {
        let registry = MetricsRegistry(seriesMax: 100)
        registry.describe("penguin_described_total", help: "A \\ backslash,\na line feed and a \"quote\".")
        registry.describe("penguin_size_bytes", help: "", buckets: [])
        for value in self.nastyValues {
            let dimensions = [("value", value), ("1st.läbel", value), ("le", value), ("__name__", value), ("", value)]
            Counter(label: "penguin_described", dimensions: dimensions, factory: registry).increment()
            FloatingPointCounter(label: "penguin:half", dimensions: dimensions, factory: registry).increment(by: 0.5)
            Meter(label: "penguin.meter", dimensions: dimensions, factory: registry).set(Double.nan)
            Timer(label: "penguin timer", dimensions: dimensions, factory: registry).recordNanoseconds(12_345)
            Recorder(label: "penguin_size_bytes", dimensions: dimensions, factory: registry).record(7)
            Gauge(label: "1penguin-level", dimensions: dimensions, factory: registry).record(-1.5)
        }
        registry.onScrape(named: "nasty \"\n") {
            self.nastyValues.map { MetricSample("penguin_sampled", .counter, labels: ["välue": $0], value: .infinity) }
        }
        for number in 0..<100 {
            let dimensions = [("number", "\(number)")]
            Counter(label: "penguin_described", dimensions: dimensions, factory: registry).increment()
            Timer(label: "penguin timer", dimensions: dimensions, factory: registry).recordSeconds(number)
        }
        return registry
    }

    private static func promtool(_ text: String) async throws -> (status: Int32, output: String) {
        try await withTemporaryDirectory { folder in
            let (metrics, log) = (folder.appendingPathComponent("metrics"), folder.appendingPathComponent("log"))
            try Data(text.utf8).write(to: metrics)
            let command = "exec promtool check metrics <\"$1\""
            let child = try await ChildProcess.start("sh", ["-c", command, "sh", metrics.path], log: log)
            try await eventually(within: .seconds(20), "promtool has ended") { child.exitStatus != nil }
            let output = try String(contentsOf: log, encoding: .utf8)
            return (try #require(child.exitStatus), output)
        }
    }
}
