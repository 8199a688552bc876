import Foundation
import NIOCore

/// How long `POST /chat/message` takes with an answer of 20 tokens, one request after the other.
struct PostScenario: Scenario {
    static let name = "post"

    func run(on rig: Rig) async throws -> [Figure] {
        let order = ChatOrder(tokens: 20)
        let rounds = rig.effort.pick(quick: 100, full: 500)
        let server = try await rig.server()
        _ = try await Self.post(order, rounds: 20, port: server.port, on: rig)
        let (posted, cpuSeconds) = try await rig.meter().measuring {
            try await Self.post(order, rounds: rounds, port: server.port, on: rig)
        }
        let alone = try await ProviderAlone(rig: rig).run(order, connections: 1, rounds: rounds)
        let floor = Samples(alone.outcomes.map { $0.endedAt.milliseconds(since: $0.sentAt) })
        var median = Figure("post.p50", "POST of 20 tokens, p50", unit: "ms", runs: [posted.times.median])
        median.ceilings = [.init(what: "provider alone", value: floor.median)]
        median.target = .atMost(10)
        median.cpuSeconds = cpuSeconds
        median.details = ["samples": Double(posted.times.count)]
        median.faults = posted.faults + alone.faults
        var worst = Figure("post.p99", "POST of 20 tokens, p99", unit: "ms", runs: [posted.times.percentile(99)])
        worst.ceilings = [.init(what: "provider alone", value: floor.percentile(99))]
        return [median, worst]
    }

    private static func post(
        _ order: ChatOrder,
        rounds: Int,
        port: Int,
        on rig: Rig
    ) async throws -> (times: Samples, faults: [String]) {
        let request = HTTPRequestText.message(order.prompt)
        let requests = Countdown(rounds)
        let times = Collected<Double>()
        let faults = Collected<String>()
        _ = try await HTTPLoad(group: rig.loop, port: port, connections: 1).run {
            requests.take() ? request : nil
        } reply: { reply in
            times.add(reply.endedAt.milliseconds(since: reply.sentAt))
            let isRight = reply.body.withUnsafeReadableBytes { ByteSearch.first(order.expected, in: $0) != nil }
            if reply.status != 200 { faults.add(reply.excerpt) }
            if reply.status == 200, !isRight { faults.add("an answer with another text") }
        }
        return (Samples(times.all), faults.all)
    }
}
