import Foundation
import NIOCore

/// The same load straight on the provider: what would come if Penguin cost nothing.
struct ProviderAlone: Sendable {
    let rig: Rig

    /// What many answers of the provider brought.
    struct Run: Sendable {
        let span: HTTPLoad.Span
        let outcomes: [ChatOutcome]

        var tokensPerSecond: Double { Double(self.outcomes.reduce(0) { $0 + $1.tokens }) / self.span.seconds }
        var faults: [String] {
            self.outcomes.compactMap(\.fault).map { "the provider alone: \($0)" }
        }
    }

    /// Asks on so many connections at once, `rounds` times on each.
    func run(_ order: ChatOrder, connections: Int, rounds: Int = 1) async throws -> Run {
        let provider = try await self.rig.provider()
        let load = HTTPLoad(group: self.rig.loop, port: provider.port, connections: connections)
        let request = HTTPRequestText.completion(order.prompt)
        let requests = Countdown(connections * rounds)
        let outcomes = Collected<ChatOutcome>()
        let span = try await load.run(
            next: { requests.take() ? request : nil },
            reply: { outcomes.add(Self.outcome(of: $0, order)) }
        )
        return Run(span: span, outcomes: outcomes.all)
    }

    /// The median of so many runs with a single answer per connection.
    func rate(
        _ order: ChatOrder,
        connections: Int,
        runs: Int
    ) async throws -> (tokensPerSecond: Double, faults: [String]) {
        var measured: [Run] = []
        for _ in 0..<runs { measured.append(try await self.run(order, connections: connections)) }
        return (Samples(measured.map(\.tokensPerSecond)).median, measured.flatMap(\.faults))
    }

    /// Reads the whole stream when it is there: cheaper than what Penguin's client does, as befits a ceiling.
    private static func outcome(of reply: HTTPReply, _ order: ChatOrder) -> ChatOutcome {
        var checker = TokenChecker(order)
        reply.body.withUnsafeReadableBytes { body in
            var rest = body
            let key: StaticString = #""content":""#
            while let start = ByteSearch.first(key, in: rest) {
                rest = UnsafeRawBufferPointer(rebasing: rest[(start + key.utf8CodeUnitCount)...])
                guard let end = rest.firstIndex(of: UInt8(ascii: "\"")) else { break }
                checker.take(UnsafeRawBufferPointer(rebasing: rest[..<end]))
            }
        }
        checker.end()
        return ChatOutcome(
            sentAt: reply.sentAt,
            firstTokenAt: reply.bodyBeganAt,
            lastTokenAt: reply.endedAt,
            endedAt: reply.endedAt,
            stamp: checker.stamp,
            tokens: checker.tokens,
            frames: order.tokens,
            snapshots: 0,
            fault: checker.fault
        )
    }
}
