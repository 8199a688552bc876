/// Resident memory of each process while 64 chats run, at its peak.
struct MemoryScenario: Scenario {
    static let name = "memory"
    private static let samplePause = Duration.milliseconds(20)

    func run(on rig: Rig) async throws -> [Figure] {
        let order = ChatOrder(tokens: 200)
        let server = try await rig.server()
        let sockets = try await ChatSockets.open(64, port: server.port, on: rig.loop)
        let meter = try await rig.meter()
        let (run, peaks) = try await Self.peaks(of: meter) {
            try await sockets.run(order, rounds: rig.effort.pick(quick: 1, full: 3))
        }
        await sockets.close()
        return ProcessMeter.order.compactMap { name in
            guard let peak = peaks[name] else { return nil }
            var figure = Figure("memory.load.\(name)", "\(name), 64 chats, peak", unit: "MiB RSS", runs: [peak])
            if name == "penguin-web" { figure.faults = run.faults }
            return figure
        }
    }

    private static func peaks<R: Sendable>(
        of meter: ProcessMeter,
        during body: @escaping @Sendable () async throws -> R
    ) async throws -> (result: R, peaks: [String: Double]) {
        let sampler = Task {
            var peaks = meter.residentMiB()
            while !Task.isCancelled {
                peaks.merge(meter.residentMiB(), uniquingKeysWith: max)
                // Cancelled is a reason to end like another.
                try? await Task.sleep(for: Self.samplePause)
            }
            return peaks
        }
        do {
            let result = try await body()
            sampler.cancel()
            return (result, await sampler.value)
        } catch {
            sampler.cancel()
            throw error
        }
    }
}
