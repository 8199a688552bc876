/// Tokens per second when the provider writes as fast as it can: 1, 8, 64 and 256 chats of 200 tokens at once.
struct StreamScenario: Scenario {
    static let name = "stream"
    private static let targets: [Int: Figure.Target] = [64: .atLeast(20_000)]

    func run(on rig: Rig) async throws -> [Figure] {
        let order = ChatOrder(tokens: 200)
        var figures: [Figure] = []
        for chats in [1, 8, 64, 256] {
            var figure = try await ChatRates.measure(
                order,
                chats: chats,
                on: rig,
                name: "stream.\(chats)",
                title: "\(chats) × 200 tokens, no delay"
            )
            let alone = try await ChatRates.alone(order, chats: chats, on: rig)
            figure.ceilings = [.init(what: "provider alone", value: alone.tokensPerSecond)]
            figure.faults += alone.faults
            figure.target = Self.targets[chats]
            figures.append(figure)
        }
        return figures
    }
}
