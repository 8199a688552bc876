import NIOCore

/// How many requests of one kind a server answers in a second.
struct RequestRate: Sendable {
    let perSecond: Double
    let faults: [String]

    /// Sends so many over so many connections; every answer but 200 is a fault.
    static func measure(
        _ request: ByteBuffer,
        count: Int,
        port: Int,
        connections: Int,
        on rig: Rig
    ) async throws -> RequestRate {
        let requests = Countdown(count)
        let faults = Collected<String>()
        let load = HTTPLoad(group: rig.loop, port: port, connections: connections)
        let span = try await load.run(next: { requests.take() ? request : nil }) { reply in
            if reply.status != 200 { faults.add(reply.excerpt) }
        }
        return RequestRate(perSecond: Double(count) / span.seconds, faults: faults.all)
    }
}
