/// Tokens per second when the provider writes one every 10 ms, as a real one may: nothing may hold them up.
struct PaceScenario: Scenario {
    static let name = "pace"
    private static let delayMilliseconds = 10
    private static let idealShareMin = 0.95

    func run(on rig: Rig) async throws -> [Figure] {
        let order = ChatOrder(tokens: 200, extra: "delay=\(Self.delayMilliseconds)ms")
        var figures: [Figure] = []
        for chats in rig.effort.pick(quick: [64], full: [1, 8, 64, 256]) {
            let name = "pace.\(chats)"
            var figure = try await ChatRates.measure(
                order,
                chats: chats,
                on: rig,
                name: name,
                title: "\(chats) × 200 tokens, 10 ms each",
                runs: min(rig.effort.runs, 3)
            )
            let alone = try await ChatRates.alone(order, chats: chats, on: rig, runs: 1)
            let ideal = Double(chats) * 1000 / Double(Self.delayMilliseconds)
            figure.ceilings = [
                .init(what: "ideal timer", value: ideal), .init(what: "provider alone", value: alone.tokensPerSecond),
            ]
            figure.faults += alone.faults
            if chats == 64 { figure.target = .atLeast(ideal * Self.idealShareMin) }
            figures.append(figure)
        }
        return figures
    }
}
