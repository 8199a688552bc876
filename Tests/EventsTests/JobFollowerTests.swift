import Domain
import NIOCore
import Synchronization
import Testing
import TestSupport

@testable import Events

@Suite(.serialized, .timeLimit(.minutes(3)))
struct JobFollowerTests {
    private static let first = EventID(epoch: 7, sequence: 0)
    private static let moment = Duration.milliseconds(20)

    private static func follower(
        _ bench: LogBench,
        after cursor: EventID = .zero,
        isNew: Bool = false,
        ledger: LedgerView = .stillOpen
    ) -> JobFollower {
        JobFollower(job: bench.job, after: cursor, isNew: isNew, log: bench.log) { ledger }
    }

    /// Everything up to the end.
    private static func all(_ follower: JobFollower) async -> [EventLog.Entry] {
        var entries: [EventLog.Entry] = []
        while let more = await follower.next(within: .seconds(60)) {
            if more.isEmpty { return entries }
            entries += more
        }
        return entries
    }

    private static func bytes(_ frame: EventFrame) -> ByteBuffer { ByteBuffer(bytes: frame.bytes) }

    @Test func `from every cursor the rest comes byte for byte, and then the end`() async throws {
        try await withLog { bench in
            try await bench.create()
            try await bench.append(5, from: Self.first)
            try await bench.append(5, from: EventID(epoch: 9, sequence: 0), ending: true)
            let log = try await bench.entries()
            #expect(log.count == 12)
            for (index, cursor) in ([EventID.zero] + log.dropLast().map(\.id)).enumerated() {
                let follower = Self.follower(bench, after: cursor)
                #expect(await Self.all(follower) == Array(log[index...]))
                #expect(await follower.next() == nil)
                #expect(follower.cursor == log.last?.id)
            }
        }
    }

    @Test func `more than one read of the log comes once and in order`() async throws {
        try await withLog { bench in
            try await bench.create()
            try await bench.append(600, from: Self.first, ending: true)
            #expect(await Self.all(Self.follower(bench)) == (try await bench.entries()))
        }
    }

    @Test func `live events of a new job come without a look at the log`() async throws {
        try await withLog { bench in
            let follower = Self.follower(bench, after: .start, isNew: true)
            let frames = [
                bench.token("a", at: EventID(epoch: 0, sequence: 2)),
                try bench.complete(at: EventID(epoch: 0, sequence: 3)),
            ]
            for frame in frames { follower.receive(Self.bytes(frame)) }
            #expect(await Self.all(follower) == frames.map(EventLog.Entry.init))
        }
    }

    @Test func `an event that was lost on the way is read from the log`() async throws {
        try await withLog { bench in
            try await bench.create()
            let follower = Self.follower(bench, after: .start, isNew: true)
            let frames = try await bench.append(6, from: Self.first, ending: true)
            for index in [0, 1, 4, 3, 1, 6] { follower.receive(Self.bytes(frames[index])) }
            #expect(await Self.all(follower) == frames.map(EventLog.Entry.init))
        }
    }

    @Test func `what comes twice or late is dropped`() async throws {
        try await withLog { bench in
            try await bench.create()
            let frames = try await bench.append(3, from: Self.first)
            let follower = Self.follower(bench)
            #expect(await follower.next()?.count == 4)
            for frame in frames + frames.reversed() { follower.receive(Self.bytes(frame)) }
            #expect(await follower.next(within: Self.moment) == [])
        }
    }

    @Test func `bytes that are no event are dropped`() async throws {
        try await withLog { bench in
            let follower = Self.follower(bench, after: .start, isNew: true)
            follower.receive(ByteBuffer(string: "nonsense"))
            #expect(await follower.next(within: Self.moment) == [])
        }
    }

    @Test func `a reader that lags leaves the live feed and still gets each event once`() async throws {
        try await withLog { bench in
            try await bench.create()
            let follower = Self.follower(bench, after: .start, isNew: true)
            let frames = try await bench.append(700, from: Self.first, ending: true)
            for frame in frames { follower.receive(Self.bytes(frame)) }
            #expect(await Self.all(follower) == frames.map(EventLog.Entry.init))
        }
    }

    @Test func `large events count by their bytes`() async throws {
        try await withLog { bench in
            try await bench.create()
            let follower = Self.follower(bench, after: .start, isNew: true)
            let text = String(repeating: "x", count: 100_000)
            var frames = (0..<20).map { bench.token(text, at: EventID(epoch: 7, sequence: $0)) }
            frames.append(try bench.complete(at: EventID(epoch: 7, sequence: 20)))
            _ = try await bench.log.append(frames, to: bench.job)
            for frame in frames { follower.receive(Self.bytes(frame)) }
            #expect(await Self.all(follower).map(\.id) == frames.map(\.id))
        }
    }

    @Test func `with the log gone the ledger tells the text and the end`() async throws {
        try await withLog { bench in
            let snapshot = try EventFrame(
                id: EventID(epoch: 7, sequence: 100),
                type: .snapshot,
                data: EventData.Snapshot(jobID: bench.job, text: "all of it", reasoning: nil, iteration: 1)
            )
            let terminal = try bench.complete(at: EventID(epoch: 7, sequence: 101))
            for cursor in [EventID.zero, EventID.start, EventID(epoch: 7, sequence: 3)] {
                let follower = Self.follower(
                    bench,
                    after: cursor,
                    ledger: .ended(snapshot: snapshot, terminal: terminal)
                )
                let begun = ContinuousClock.now
                #expect(await Self.all(follower) == [snapshot, terminal].map(EventLog.Entry.init))
                #expect(await follower.next() == nil)
                // At once, not at the next look at the silent ones.
                #expect(begun.duration(to: .now) < .seconds(5))
            }
        }
    }

    @Test func `a log without its terminal event ends when the ledger says so`() async throws {
        try await withLog { bench in
            try await bench.create()
            try await bench.append(3, from: Self.first)
            let terminal = try bench.complete(at: EventID(epoch: 7, sequence: 100))
            let follower = Self.follower(bench, ledger: .ended(snapshot: nil, terminal: terminal))
            #expect(await follower.next()?.count == 4)
            #expect(await follower.next(within: Self.moment) == [])
            follower.check(silence: .zero)
            #expect(await follower.next() == [EventLog.Entry(terminal)])
            #expect(await follower.next() == nil)
        }
    }

    @Test func `a silent job that goes on is waited for`() async throws {
        try await withLog { bench in
            try await bench.create()
            let follower = Self.follower(bench)
            #expect(await follower.next()?.map(\.type) == [.start])
            follower.check(silence: .zero)
            #expect(await follower.next(within: Self.moment) == [])
            follower.check(silence: .seconds(60))
            let frames = try await bench.append(1, from: Self.first)
            follower.receive(Self.bytes(frames[0]))
            #expect(await follower.next()?.count == 1)
        }
    }

    @Test func `a job that is no more ends its followers`() async throws {
        try await withLog { bench in
            #expect(await Self.follower(bench, ledger: .gone).next() == nil)
        }
    }

    @Test(arguments: [true, false])
    func `a stop or a cancel ends the wait`(_ byCancel: Bool) async throws {
        try await withLog { bench in
            try await bench.create()
            let follower = Self.follower(bench)
            #expect(await follower.next()?.count == 1)
            let isWaiting = Mutex(false)
            async let waiting = Task {
                isWaiting.withLock { $0 = true }
                return await follower.next()
            }
            let task = await waiting
            try await eventually(within: .seconds(30), "the task runs") { isWaiting.withLock { $0 } }
            if byCancel { task.cancel() } else { follower.stop() }
            #expect(await task.value == nil)
        }
    }

    @Test func `with Redis away the ledger still tells the end`() async throws {
        try await withLog(commandTimeout: .milliseconds(200)) { bench in
            try await bench.server.kill()
            let terminal = try bench.complete(at: EventID(epoch: 7, sequence: 100))
            let follower = Self.follower(bench, ledger: .ended(snapshot: nil, terminal: terminal))
            async let entries = Self.all(follower)
            try await eventually(within: .seconds(30), "the follower has given up on the log") {
                follower.check(silence: .zero)
                return follower.cursor == terminal.id
            }
            #expect(await entries == [EventLog.Entry(terminal)])
        }
    }

    @Test func `of a job that nobody has begun the ledger tells the start, and the log tells it not again`()
        async throws
    {
        try await withLog { bench in
            let start = try bench.start
            let follower = Self.follower(bench, ledger: .open(start: start))
            #expect(await follower.next() == [EventLog.Entry(start)])
            #expect(follower.cursor == .start)
            #expect(await follower.next(within: Self.moment) == [])
            try await bench.create()
            follower.receive(Self.bytes(start))
            let frames = try await bench.append(2, from: Self.first, ending: true)
            for frame in frames { follower.receive(Self.bytes(frame)) }
            #expect(await Self.all(follower) == frames.map(EventLog.Entry.init))
        }
    }

    @Test func `whoever has seen the start is not shown it again`() async throws {
        try await withLog { bench in
            let follower = Self.follower(bench, after: .start, ledger: .open(start: try bench.start))
            #expect(await follower.next(within: Self.moment) == [])
            follower.check(silence: .zero)
            #expect(await follower.next(within: Self.moment) == [])
            #expect(follower.cursor == .start)
        }
    }
}
