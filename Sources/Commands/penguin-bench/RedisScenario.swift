/// Redis alone, as a figure of its own; the other scenarios show it as a ceiling.
struct RedisScenario: Scenario {
    static let name = "redis"

    func run(on rig: Rig) async throws -> [Figure] {
        let ceiling = try await rig.redisAlone()
        var figure = Figure("redis.frames", "Redis alone", unit: "frames/s", runs: [ceiling.framesPerSecond])
        figure.details = [
            "added_per_second": ceiling.addedPerSecond, "published_per_second": ceiling.publishedPerSecond,
        ]
        return [figure]
    }
}
