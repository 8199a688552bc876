/// Tokens per second when the provider writes as fast as it can: 1, 8, 64 and 256 chats of 200 tokens at once.
struct StreamScenario: Scenario {
    static let name = "stream"
    private static let targets: [Int: Figure.Target] = [64: .atLeast(20_000)]
    /// A run of few chats takes some milliseconds, so it is repeated until about so many chats were had.
    private static let chatsMin = 64

    func run(on rig: Rig) async throws -> [Figure] {
        let order = ChatOrder(tokens: 200)
        let redis = try await rig.redisAlone()
        var figures: [Figure] = []
        for chats in [1, 8, 64, 256] {
            let runs = max(rig.effort.runs, Self.chatsMin / chats)
            let rates = try await ChatRates.measure(order, chats: chats, runs: runs, on: rig)
            let alone = try await ProviderAlone(rig: rig).rate(order, connections: chats, runs: runs)
            var figure = rates.figure("stream.\(chats)", "\(chats) × 200 tokens, no delay")
            figure.ceilings = [
                .init(what: "provider alone", value: alone.tokensPerSecond),
                .init(what: "redis alone, a token per frame", value: redis.framesPerSecond),
            ]
            figure.faults += alone.faults
            figure.target = Self.targets[chats]
            figures.append(figure)
        }
        return figures
    }
}
