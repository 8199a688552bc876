import Foundation
import TestSupport

/// What Redis alone could carry: token frames that are added to a log and published, as fast as redis-benchmark can.
struct RedisCeiling: Sendable {
    let addedPerSecond: Double
    let publishedPerSecond: Double

    /// Each frame is added and published.
    var framesPerSecond: Double { 1 / (1 / self.addedPerSecond + 1 / self.publishedPerSecond) }

    /// The size of a frame with one token.
    private static let frameBytes = 110
    private static let benchmarkMax = Duration.seconds(30)

    /// Sends so many commands of each kind to a Redis of its own, with an append-only file as the embedded one has.
    static func measure(count: Int) async throws -> RedisCeiling {
        let frame = String(repeating: "x", count: self.frameBytes)
        return try await withRedis(appendOnly: true) { redis in
            let added = try await self.rate(of: "-P 64 --csv XADD bench MAXLEN ~ 50000 * f \(frame)", count, redis)
            let published = try await self.rate(of: "-P 64 --csv PUBLISH bench \(frame)", count, redis)
            return RedisCeiling(addedPerSecond: added, publishedPerSecond: published)
        }
    }

    /// Commands per second on one connection.
    private static func rate(of benchmark: String, _ count: Int, _ redis: RedisServer) async throws -> Double {
        let output = redis.directory.appendingPathComponent("benchmark-\(UUID().uuidString).csv")
        let options = ["-s", redis.socketPath, "-n", "\(count)", "-c", "1"]
        let words = benchmark.split(separator: " ").map(String.init)
        let child = try await ChildProcess.start("redis-benchmark", options + words, log: output)
        try await eventually(within: self.benchmarkMax, "redis-benchmark has ended") { child.pid == nil }
        let text = try String(contentsOf: output, encoding: .utf8)
        // A line of names, then: "command","requests per second",…
        let cells = text.split(separator: "\n").last?.split(separator: ",") ?? []
        guard cells.count > 1, let rate = Double(cells[1].filter { $0 != "\"" }), rate > 0 else {
            throw BenchFailure("redis-benchmark says: \(text.suffix(300))")
        }
        return rate
    }
}
