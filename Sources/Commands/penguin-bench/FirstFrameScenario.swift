/// How long the first token is on its way through Penguin: from the provider's clock when it wrote the token to ours
/// when the frame is here, for one chat at a time and for 64 at once.
struct FirstFrameScenario: Scenario {
    static let name = "first-frame"

    func run(on rig: Rig) async throws -> [Figure] {
        let single = try await self.measure(
            chats: 1,
            rounds: rig.effort.pick(quick: 40, full: 200),
            ChatOrder(tokens: 5, isStamped: true),
            on: rig
        )
        let many = try await self.measure(
            chats: 64,
            rounds: rig.effort.pick(quick: 4, full: 10),
            ChatOrder(tokens: 20, isStamped: true, extra: "delay=10ms"),
            on: rig
        )
        return single.figures(p50: .atMost(5)) + many.figures(p99: .atMost(50))
    }

    private struct Overheads {
        let chats: Int
        let samples: Samples
        let alone: Samples
        let faults: [String]
        let cpuSeconds: [String: Double]

        func figures(p50: Figure.Target? = nil, p99: Figure.Target? = nil) -> [Figure] {
            var median = self.figure("p50", self.samples.median, floor: self.alone.median, p50)
            median.cpuSeconds = self.cpuSeconds
            median.faults = self.faults
            let worst = self.figure("p99", self.samples.percentile(99), floor: self.alone.percentile(99), p99)
            return [median, worst]
        }

        private func figure(_ rank: String, _ value: Double, floor: Double, _ target: Figure.Target?) -> Figure {
            let title = "first frame, \(self.chats == 1 ? "1 chat" : "\(self.chats) chats"), \(rank)"
            var figure = Figure("first_frame.\(self.chats).\(rank)", title, unit: "ms", runs: [value])
            figure.ceilings = [.init(what: "provider alone", value: floor)]
            figure.target = target
            figure.details = ["samples": Double(self.samples.count)]
            return figure
        }
    }

    private func measure(chats: Int, rounds: Int, _ order: ChatOrder, on rig: Rig) async throws -> Overheads {
        let server = try await rig.server()
        let sockets = try await ChatSockets.open(chats, port: server.port, on: rig.loop)
        let warmUp = try await sockets.run(order)
        let (run, cpuSeconds) = try await rig.meter().measuring { try await sockets.run(order, rounds: rounds) }
        await sockets.close()
        let alone = try await ProviderAlone(rig: rig).run(order, connections: chats, rounds: rounds)
        return Overheads(
            chats: chats,
            samples: Samples(run.outcomes.compactMap(\.overhead)),
            alone: Samples(alone.outcomes.compactMap(\.overhead)),
            faults: warmUp.faults + run.faults + alone.faults,
            cpuSeconds: cpuSeconds
        )
    }
}
