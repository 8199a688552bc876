import Foundation
import TestSupport

/// What Redis alone could carry: token frames per second when each is added to a log and published, by redis-benchmark.
struct RedisScenario: Scenario {
    static let name = "redis"
    /// The size of a frame with one token.
    private static let frameBytes = 110
    private static let benchmarkMax = Duration.seconds(30)

    func run(on rig: Rig) async throws -> [Figure] {
        let count = rig.effort.pick(quick: 50_000, full: 200_000)
        let frame = String(repeating: "x", count: Self.frameBytes)
        return try await withRedis(appendOnly: true) { redis in
            let add = try await Self.rate(of: "-P 64 --csv XADD bench MAXLEN ~ 50000 * f \(frame)", count: count, redis)
            let publish = try await Self.rate(of: "-P 64 --csv PUBLISH bench \(frame)", count: count, redis)
            var figure = Figure(
                "redis.frames",
                "Redis alone, frames",
                unit: "frames/s",
                runs: [1 / (1 / add + 1 / publish)]
            )
            figure.details = ["added_per_second": add, "published_per_second": publish]
            return [figure]
        }
    }

    /// Commands per second on one connection, 64 at a time.
    private static func rate(of benchmark: String, count: Int, _ redis: RedisServer) async throws -> Double {
        let output = redis.directory.appendingPathComponent("benchmark-\(UUID().uuidString).csv")
        let options = ["-s", redis.socketPath, "-n", "\(count)", "-c", "1"]
        let words = benchmark.split(separator: " ").map(String.init)
        let child = try await ChildProcess.start("redis-benchmark", options + words, log: output)
        try await eventually(within: self.benchmarkMax, "redis-benchmark has ended") { child.pid == nil }
        let text = try String(contentsOf: output, encoding: .utf8)
        // A line of names, then: "command","requests per second",…
        let cells = text.split(separator: "\n").last?.split(separator: ",") ?? []
        guard cells.count > 1, let rate = Double(cells[1].filter { $0 != "\"" }) else {
            throw BenchFailure("redis-benchmark says: \(text.suffix(300))")
        }
        return rate
    }
}
