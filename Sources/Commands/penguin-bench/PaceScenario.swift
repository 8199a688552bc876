/// Tokens per second when the provider writes one every 10 ms, as a real one may: nothing may hold them up.
struct PaceScenario: Scenario {
    static let name = "pace"
    private static let delayMilliseconds = 10
    private static let idealShareMin = 0.95
    private static let runsMax = 3

    func run(on rig: Rig) async throws -> [Figure] {
        let order = ChatOrder(tokens: 200, extra: "delay=\(Self.delayMilliseconds)ms")
        let runs = min(rig.effort.runs, Self.runsMax)
        var figures: [Figure] = []
        for chats in rig.effort.pick(quick: [64], full: [1, 8, 64, 256]) {
            let rates = try await ChatRates.measure(order, chats: chats, runs: runs, on: rig)
            let alone = try await ProviderAlone(rig: rig).rate(order, connections: chats, runs: 1)
            let ideal = Double(chats) * 1000 / Double(Self.delayMilliseconds)
            var figure = rates.figure("pace.\(chats)", "\(chats) × 200 tokens, 10 ms each")
            figure.ceilings = [
                .init(what: "ideal timer", value: ideal), .init(what: "provider alone", value: alone.tokensPerSecond),
            ]
            figure.details["flow_per_second"] = rates.flowPerSecond
            figure.faults += alone.faults
            if chats == 64 { figure.target = .atLeast(ideal * Self.idealShareMin) }
            figures.append(figure)
        }
        return figures
    }
}
