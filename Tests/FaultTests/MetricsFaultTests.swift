import Domain
import Foundation
import TestSupport
import Testing

/// What real processes tell a monitor.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct MetricsFaultTests {
    private static let key = "alice-0123456789abcdef"

    @Test func `both programs tell what happened in Prometheus' format, and name nobody`() async throws {
        let keys = ["PENGUIN_API_KEYS": "alice=\(Self.key)"]
        try await withFleet(hasRedis: true, variables: keys) { fleet in
            var web = try await fleet.startWeb("--workers", "0")
            web.key = Self.key
            let worker = try await fleet.startWorker(seenBy: web, variables: ["PENGUIN_WORKER_METRICS_PORT": "0"])
            for index in 0..<3 { try await web.answer(to: "[[tokens=3]]", in: "secret-\(index)").expect(tokens(3)) }
            let failed = try await web.accept("[[error=401]]", in: "secret-3")
            try await web.job(failed, is: .failed)
            let monitor = HTTPProbe(port: try await Self.metricsPort(of: worker))
            #expect(try await monitor.get("/livez").status == 200)
            #expect(try await HTTPProbe(port: web.port).get("/metrics").status == 401)
            let (ofWeb, ofWorker) = (try await web.http().get("/metrics"), try await monitor.get("/metrics"))
            for reply in [ofWeb, ofWorker] {
                #expect(reply.status == 200)
                #expect(reply.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
                #expect(try await Self.complaints(about: reply.text) == "")
                for secret in ["alice", "secret", "job_", "conv_", "worker_"] {
                    let line = reply.text.split(separator: "\n").first {
                        !$0.hasPrefix("#") && $0.contains("\"\(secret)")
                    }
                    #expect(line == nil)
                }
            }
            #expect(Self.value(#"penguin_jobs_submitted_total{kind="chat"}"#, in: ofWeb) == 4)
            #expect(Self.value(#"penguin_jobs_ended_total{kind="chat",state="completed"}"#, in: ofWorker) == 3)
            #expect(Self.value(#"penguin_jobs_ended_total{kind="chat",state="failed"}"#, in: ofWorker) == 1)
            #expect(Self.value("penguin_workers", in: ofWeb) == 1)
            #expect(Self.value("penguin_redis_up", in: ofWorker) == 1)
        }
    }

    private static func metricsPort(of worker: PenguinProcess) async throws -> Int {
        var port: Int?
        try await eventually(within: .seconds(20), "the worker serves its metrics") {
            port = worker.errors.firstMatch(of: /Metrics are served.*port=(\d+)/).flatMap { Int($0.1) }
            return port != nil
        }
        return try #require(port)
    }

    /// The sample of a series; nil when it is not there.
    private static func value(_ series: String, in reply: HTTPProbe.Reply) -> Double? {
        let line = reply.text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
        return line.flatMap { Double($0.dropFirst(series.count + 1)) }
    }

    /// What `promtool check metrics` has against a text: nothing, when all is well.
    private static func complaints(about text: String) async throws -> String {
        try await withTemporaryDirectory { folder in
            let (file, log) = (folder.appendingPathComponent("metrics"), folder.appendingPathComponent("log"))
            try Data(text.utf8).write(to: file)
            let script = #"promtool check metrics <"$0""#
            let child = try await ChildProcess.start("/bin/sh", ["-c", script, file.path], log: log)
            try await eventually(within: .seconds(30), "promtool has ended") { child.exitStatus != nil }
            #expect(child.exitStatus == 0)
            return try String(contentsOf: log, encoding: .utf8)
        }
    }
}
