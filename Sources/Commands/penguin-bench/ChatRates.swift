/// Tokens per second of many chats at once, with and without Penguin in between.
enum ChatRates {
    /// The provider's own rate and what was wrong with its answers.
    struct Alone {
        let tokensPerSecond: Double
        let faults: [String]
    }

    /// A warm-up and the runs, each with all chats at once, from the first message sent to the last answer complete.
    static func measure(
        _ order: ChatOrder,
        chats: Int,
        on rig: Rig,
        name: String,
        title: String,
        runs: Int? = nil
    ) async throws -> Figure {
        let server = try await rig.server()
        let sockets = try await ChatSockets.open(chats, port: server.port, on: rig.loop)
        var faults = try await sockets.run(order).faults
        let count = runs ?? rig.effort.runs
        let (measured, cpuSeconds) = try await rig.meter().measuring {
            var measured: [ChatRun] = []
            for _ in 0..<count { measured.append(try await sockets.run(order)) }
            return measured
        }
        await sockets.close()
        faults += measured.flatMap(\.faults)
        var figure = Figure(name, title, unit: "tokens/s", runs: measured.map(\.tokensPerSecond))
        figure.cpuSeconds = cpuSeconds.mapValues { $0 / Double(count) }
        let tokens = measured.reduce(0) { $0 + $1.tokens }
        let frames = measured.reduce(0) { $0 + $1.frames }
        figure.details = [
            "tokens_per_frame": Double(tokens) / Double(max(frames, 1)),
            "snapshots": Double(measured.reduce(0) { $0 + $1.snapshots }),
            "wall_seconds": Samples(measured.map(\.span.seconds)).median,
        ]
        figure.faults = ChatRun.summary(of: faults)
        return figure
    }

    static func alone(_ order: ChatOrder, chats: Int, on rig: Rig, runs: Int? = nil) async throws -> Alone {
        var measured: [ProviderAlone.Run] = []
        for _ in 0..<(runs ?? rig.effort.runs) {
            measured.append(try await ProviderAlone(rig: rig).run(order, connections: chats))
        }
        return Alone(
            tokensPerSecond: Samples(measured.map(\.tokensPerSecond)).median,
            faults: measured.flatMap(\.faults)
        )
    }
}
