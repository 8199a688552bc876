import Foundation
import TestSupport

/// How long a fresh `penguin-web` with its own Redis takes to be ready, and what it and its sockets hold while idle.
struct StartScenario: Scenario {
    static let name = "start"
    private static let idleSockets = 500
    /// Opened before, so that what is made once for all sockets is not counted.
    private static let firstSockets = 20
    private static let settlePause = Duration.seconds(2)

    func run(on rig: Rig) async throws -> [Figure] {
        var times: [Double] = []
        var floors: [Double] = []
        for _ in 0..<min(rig.effort.runs, 5) {
            floors.append(try await Self.redisStart())
            let server = try await rig.startServer()
            times.append(server.startUpSeconds)
            await server.stop()
        }
        var start = Figure("start.ready", "start to ready, with Redis", unit: "s", runs: times)
        start.ceilings = [.init(what: "redis-server alone", value: Samples(floors).median)]
        start.target = .atMost(0.7)
        return [start] + (try await self.idleFigures(on: rig))
    }

    private func idleFigures(on rig: Rig) async throws -> [Figure] {
        let bare = try await rig.bareServer()
        let server = try await rig.startServer()
        do {
            try await Task.sleep(for: Self.settlePause)
            var figures = [Self.idleFigure("penguin-web", server.pid)]
            figures[0].ceilings = [.init(what: "bare server", value: Self.mebibytes(bare.pid))]
            figures[0].target = .atMost(80)
            if let redis = ProcessMeter.descendant(of: server.pid, named: "redis-server") {
                figures.append(Self.idleFigure("redis-server", redis))
            }
            figures.append(try await Self.socketFigure(server, on: rig))
            await server.stop()
            return figures
        } catch {
            await server.stop()
            throw error
        }
    }

    private static func idleFigure(_ name: String, _ pid: Int32) -> Figure {
        Figure("memory.idle.\(name)", "\(name), idle", unit: "MiB RSS", runs: [self.mebibytes(pid)])
    }

    /// The memory that each of many silent sockets adds.
    private static func socketFigure(_ server: ServedProgram, on rig: Rig) async throws -> Figure {
        let first = try await ChatSockets.open(Self.firstSockets, port: server.port, on: rig.loop)
        let before = ProcessMeter.residentBytes(of: server.pid) ?? 0
        let many = try await ChatSockets.open(Self.idleSockets, port: server.port, on: rig.loop)
        try await Task.sleep(for: Self.settlePause / 2)
        let after = ProcessMeter.residentBytes(of: server.pid) ?? 0
        await many.close()
        await first.close()
        let each = Double(after - before) / 1024 / Double(Self.idleSockets)
        var figure = Figure("memory.socket", "an idle WebSocket, of \(Self.idleSockets)", unit: "KiB RSS", runs: [each])
        figure.target = .atMost(20)
        return figure
    }

    /// How long a Redis takes from its start to its first answer.
    private static func redisStart() async throws -> Double {
        let began = Moment.now
        let redis = try await RedisServer.start(appendOnly: true)
        let seconds = Moment.now.seconds(since: began)
        try await redis.kill()
        return seconds
    }

    private static func mebibytes(_ pid: Int32) -> Double {
        Double(ProcessMeter.residentBytes(of: pid) ?? 0) / 1_048_576
    }
}
