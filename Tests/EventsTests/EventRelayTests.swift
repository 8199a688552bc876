import Domain
import Redis
import Synchronization
import Testing
import TestSupport

@testable import Events

@Suite(.serialized, .timeLimit(.minutes(3)))
struct EventRelayTests {
    private static let patience = Duration.seconds(30)

    private static func read(_ attachment: EventRelay.Attachment) async -> [EventLog.Entry] {
        var entries: [EventLog.Entry] = []
        while let more = await attachment.follower.next() { entries += more }
        return entries
    }

    private static func subscribers(_ bench: LogBench) async throws -> Int64 {
        let reply = try await bench.redis.send(
            RedisCommand("PUBSUB", "NUMSUB", .string(bench.log.channel(of: bench.job)))
        )
        return reply.array?.last?.int ?? -1
    }

    @Test func `all followers see the same bytes, wherever and whenever they come in`() async throws {
        try await withLog { bench in
            try await bench.create()
            let relay = EventRelay(log: bench.log, subscriber: bench.subscriber, silence: .seconds(60))
            let early = await relay.follow(bench.job, after: .start, isNew: true) { .stillOpen }
            async let seenEarly = Self.read(early)
            let seenLate = try await withThrowingTaskGroup(of: (EventID, [EventLog.Entry]).self) { group in
                let next = try await bench.write(epoch: 7) { writer in
                    for number in 0..<200 {
                        await writer.add("word\(number) ", as: number % 7 == 0 ? .reasoning : .token)
                        guard number % 20 == 10 else { continue }
                        let flushed = await writer.flush(within: Self.patience)
                        for cursor in [EventID.zero, .start, flushed] {
                            let late = await relay.follow(bench.job, after: cursor, isNew: false) { .stillOpen }
                            group.addTask { (cursor, await Self.read(late)) }
                        }
                    }
                    await writer.flush(within: Self.patience)
                }
                let terminal = try bench.complete(at: try #require(next))
                _ = try await bench.log.close(bench.job, with: terminal, ttl: .seconds(60))
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let log = try await bench.entries()
            #expect(await seenEarly == Array(log.dropFirst()))
            #expect(seenLate.count == 30)
            for (cursor, entries) in seenLate { #expect(entries == log.filter { $0.id > cursor }) }
        }
    }

    @Test func `many followers of a job share one subscription, which ends with the last`() async throws {
        try await withLog { bench in
            try await bench.create()
            let relay = EventRelay(log: bench.log, subscriber: bench.subscriber, silence: .seconds(60))
            var attachments: [EventRelay.Attachment] = []
            for _ in 0..<50 {
                attachments.append(await relay.follow(bench.job, after: .zero, isNew: false) { .stillOpen })
            }
            #expect(relay.count == 50)
            #expect(try await Self.subscribers(bench) == 1)
            attachments.removeLast(49)
            #expect(try await Self.subscribers(bench) == 1)
            attachments.removeAll()
            #expect(relay.count == 0)
            try await eventually(within: .seconds(30), "the subscription has ended") {
                try await Self.subscribers(bench) == 0
            }
        }
    }

    @Test func `an attachment that is let go ends its follower`() async throws {
        try await withLog { bench in
            try await bench.create()
            let relay = EventRelay(log: bench.log, subscriber: bench.subscriber, silence: .seconds(60))
            var attachment: EventRelay.Attachment? = await relay.follow(bench.job, after: .zero, isNew: false) {
                .stillOpen
            }
            let follower = try #require(attachment?.follower)
            attachment = nil
            #expect(await follower.next() == nil)
        }
    }

    @Test func `a Redis that restarts in the middle costs no follower an event`() async throws {
        try await withLog(appendOnly: true, commandTimeout: .seconds(2)) { bench in
            try await bench.create()
            let relay = EventRelay(log: bench.log, subscriber: bench.subscriber, silence: .milliseconds(500))
            async let _ = relay.run()
            let attachment = await relay.follow(bench.job, after: .start, isNew: true) { .stillOpen }
            async let seen = Self.read(attachment)
            let next = try await bench.write(epoch: 7) { writer in
                for number in 0..<60 {
                    await writer.add("word\(number) ", as: .token)
                    if number == 20 { await writer.flush(within: Self.patience) }
                    if number == 30 { try await bench.server.kill() }
                    if number == 40 { try await bench.server.restart() }
                }
                await writer.flush(within: Self.patience)
            }
            let terminal = try bench.complete(at: try #require(next))
            _ = try await bench.log.close(bench.job, with: terminal, ttl: .seconds(60))
            #expect(await seen == Array(try await bench.entries().dropFirst()))
        }
    }

    @Test func `with Redis away a follower attaches all the same and learns the end from the ledger`() async throws {
        try await withLog(commandTimeout: .milliseconds(200)) { bench in
            try await bench.server.kill()
            let relay = EventRelay(log: bench.log, subscriber: bench.subscriber, silence: .milliseconds(100))
            async let _ = relay.run()
            let terminal = try bench.complete(at: EventID(epoch: 7, sequence: 9))
            let hasEnded = Mutex(false)
            let attachment = await relay.follow(bench.job, after: .start, isNew: true) {
                hasEnded.withLock { $0 } ? .ended(snapshot: nil, terminal: terminal) : .stillOpen
            }
            #expect(await attachment.follower.next(within: .milliseconds(100)) == [])
            hasEnded.withLock { $0 = true }
            #expect(await Self.read(attachment) == [EventLog.Entry(terminal)])
        }
    }

    @Test func `what a fenced worker still publishes reaches nobody after the fence`() async throws {
        try await withLog { bench in
            try await bench.create()
            let relay = EventRelay(log: bench.log, subscriber: bench.subscriber, silence: .seconds(60))
            let attachment = await relay.follow(bench.job, after: .start, isNew: true) { .stillOpen }
            async let seen = Self.read(attachment)
            try await bench.append(3, from: EventID(epoch: 7, sequence: 0))
            try await bench.append(1, from: EventID(epoch: 9, sequence: 0))
            for sequence in 3..<6 {
                _ = try? await bench.log.append(
                    [bench.token("late", at: EventID(epoch: 7, sequence: Int64(sequence)))],
                    to: bench.job
                )
            }
            _ = try await bench.log.append([try bench.complete(at: EventID(epoch: 9, sequence: 1))], to: bench.job)
            #expect(await seen == Array(try await bench.entries().dropFirst()))
        }
    }
}
