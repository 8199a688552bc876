/// GET requests per second over 32 connections: a route that does nothing, and one that reads the database.
struct GetScenario: Scenario {
    static let name = "get"
    private static let connections = 32

    func run(on rig: Rig) async throws -> [Figure] {
        let server = try await rig.server()
        let bare = try await rig.bareServer()
        let many = rig.effort.pick(quick: 20_000, full: 60_000)
        let ceiling = try await Self.measure("/livez", count: many, port: bare.port, on: rig)
        let routes = [("livez", "/livez", many), ("conversations", "/api/v1/conversations?limit=20", many / 5)]
        var figures: [Figure] = []
        for (name, path, count) in routes {
            let (measured, cpuSeconds) = try await rig.meter().measuring {
                try await Self.measure(path, count: count, port: server.port, on: rig)
            }
            var figure = Figure("get.\(name)", "GET \(path)", unit: "requests/s", runs: measured.rates)
            figure.ceilings = [.init(what: "bare route", value: Samples(ceiling.rates).median)]
            // The warm-up counts as a run here.
            figure.cpuSeconds = cpuSeconds.mapValues { $0 / Double(rig.effort.runs + 1) }
            figure.faults = measured.faults + ceiling.faults
            figures.append(figure)
        }
        return figures
    }

    private static func measure(
        _ path: String,
        count: Int,
        port: Int,
        on rig: Rig
    ) async throws -> (rates: [Double], faults: [String]) {
        let request = HTTPRequestText.get(path)
        var measured: [RequestRate] = []
        for _ in 0...rig.effort.runs {
            measured.append(
                try await RequestRate.measure(request, count: count, port: port, connections: Self.connections, on: rig)
            )
        }
        return (measured.dropFirst().map(\.perSecond), measured.flatMap(\.faults))
    }
}
