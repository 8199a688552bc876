/// Runs of many chats at once through Penguin, each from the first message sent to the last answer complete.
struct ChatRates: Sendable {
    private let runs: [ChatRun]
    private let cpuSeconds: [String: Double]
    private let faults: [String]

    /// A warm-up, and then the runs, over the same sockets.
    static func measure(_ order: ChatOrder, chats: Int, runs: Int, on rig: Rig) async throws -> ChatRates {
        let server = try await rig.server()
        let sockets = try await ChatSockets.open(chats, port: server.port, on: rig.loop)
        let warmUp = try await sockets.run(order)
        let (measured, cpuSeconds) = try await rig.meter().measuring {
            var measured: [ChatRun] = []
            for _ in 0..<runs { measured.append(try await sockets.run(order)) }
            return measured
        }
        await sockets.close()
        return ChatRates(
            runs: measured,
            cpuSeconds: cpuSeconds.mapValues { $0 / Double(runs) },
            faults: warmUp.faults + measured.flatMap(\.faults)
        )
    }

    /// Tokens per second while they flowed; it means something only when they came one by one.
    var flowPerSecond: Double { Samples(self.runs.map(\.flowPerSecond)).median }

    /// Tokens per second, and what is known beside.
    func figure(_ name: String, _ title: String) -> Figure {
        var figure = Figure(name, title, unit: "tokens/s", runs: self.runs.map(\.tokensPerSecond))
        let tokens = self.runs.reduce(0) { $0 + $1.tokens }
        let frames = self.runs.reduce(0) { $0 + $1.frames }
        figure.cpuSeconds = self.cpuSeconds
        figure.details = [
            "tokens_per_frame": Double(tokens) / Double(max(frames, 1)),
            "snapshots": Double(self.runs.reduce(0) { $0 + $1.snapshots }),
            "wall_seconds": Samples(self.runs.map(\.span.seconds)).median,
        ]
        figure.faults = self.faults
        return figure
    }
}
