import Domain
import Events
import Redis
import Synchronization
import Testing
import TestSupport

@Suite(.serialized, .timeLimit(.minutes(3)))
struct LogWriterTests {
    private static let patience = Duration.seconds(30)

    private static func progress(_ number: Int, of job: JobID) -> EventData.Iteration {
        EventData.Iteration(jobID: job, iteration: number, maxIterations: 5)
    }

    @Test func `events get dense ids under the epoch, in order`() async throws {
        try await withLog { bench in
            try await bench.create()
            let next = try await bench.write(epoch: 7) { writer in
                writer.add(EventData.Attempt(jobID: bench.job, attempt: 1, reason: "claimed"), as: .attempt)
                writer.add(Self.progress(1, of: bench.job), as: .progress)
                await writer.add("Hello, ", as: .token)
                await writer.add("world", as: .token)
                await writer.add("because", as: .reasoning)
                #expect(await writer.flush(within: Self.patience).epoch == 7)
            }
            let entries = try await bench.entries()
            #expect(entries.map(\.type).prefix(3) == [.start, .attempt, .progress])
            #expect(entries.dropFirst().map(\.id.sequence) == Array(0..<Int64(entries.count - 1)))
            #expect(entries.dropFirst().allSatisfy { $0.id.epoch == 7 })
            #expect(next == entries.last?.id.next)
            let shown = try ClientText(entries)
            #expect(shown.text == "Hello, world")
            #expect(shown.reasoning == "because")
        }
    }

    @Test func `a flush returns the last event that is in the log`() async throws {
        try await withLog { bench in
            try await bench.create()
            _ = try await bench.write(epoch: 7) { writer in
                #expect(await writer.flush(within: Self.patience) == .start)
                for number in 1...3 {
                    writer.add(Self.progress(number, of: bench.job), as: .progress)
                    await writer.add("x", as: .token)
                    let flushed = await writer.flush(within: Self.patience)
                    let last = try await bench.entries().last
                    #expect(last?.id == flushed)
                }
            }
        }
    }

    @Test func `empty text is no event, and a flush does not wait for it`() async throws {
        try await withLog { bench in
            try await bench.create()
            _ = try await bench.write(epoch: 7) { writer in
                let start = ContinuousClock.now
                await writer.add("", as: .token)
                await writer.flush(within: Self.patience)
                #expect(start.duration(to: .now) < .seconds(10))
            }
            #expect(try await bench.table() == ["0-1 start"])
        }
    }

    @Test func `what cannot be encoded is left out, and the rest goes on`() async throws {
        struct Unencodable: Encodable {
            func encode(to encoder: any Encoder) throws {
                throw EncodingError.invalidValue(self, .init(codingPath: [], debugDescription: "never"))
            }
        }
        try await withLog { bench in
            try await bench.create()
            _ = try await bench.write(epoch: 7) { writer in
                writer.add(Unencodable(), as: .action)
                writer.add(Self.progress(1, of: bench.job), as: .progress)
                await writer.flush(within: Self.patience)
            }
            #expect(try await bench.table() == ["0-1 start", "7-0 progress"])
        }
    }

    @Test func `a newer epoch ends the writer, and nothing more of it is in the log`() async throws {
        try await withLog { bench in
            try await bench.create()
            let next = try await bench.write(epoch: 7) { writer in
                await writer.add("before", as: .token)
                await writer.flush(within: Self.patience)
                let attempt = EventData.Attempt(jobID: bench.job, attempt: 2, reason: "lost")
                let fence = try EventFrame(id: EventID(epoch: 9, sequence: 0), type: .attempt, data: attempt)
                #expect(try await bench.log.append([fence], to: bench.job) == .all)
                await writer.add("after the fence", as: .token)
                // Returns although it never comes into the log.
                let start = ContinuousClock.now
                #expect(await writer.flush(within: Self.patience).epoch == 7)
                await writer.add("still after", as: .token)
                await writer.flush(within: Self.patience)
                #expect(start.duration(to: .now) < .seconds(10))
            }
            #expect(next == nil)
            #expect(try await bench.table() == ["0-1 start", "7-0 token", "9-0 attempt"])
        }
    }

    @Test func `an append of an older epoch is refused as fenced`() async throws {
        try await withLog { bench in
            try await bench.create()
            try await bench.append(2, from: EventID(epoch: 9, sequence: 0))
            let error = await #expect(throws: EventsError.self) {
                _ = try await bench.log.append(
                    [bench.token("x", at: EventID(epoch: 7, sequence: 5))],
                    to: bench.job
                )
            }
            #expect(error?.code == .fenced)
        }
    }

    @Test(arguments: ["DEL", "FLUSHALL"])
    func `a lost log is made anew with its start and the text so far`(_ loss: String) async throws {
        try await withLog { bench in
            try await bench.create()
            _ = try await bench.write(epoch: 7) { writer in
                writer.add(Self.progress(2, of: bench.job), as: .progress)
                await writer.add("one two ", as: .token)
                await writer.flush(within: Self.patience)
                let key = RedisArgument.string(bench.log.channel(of: bench.job))
                _ = try await bench.redis.send(RedisCommand(loss, arguments: loss == "DEL" ? [key] : []))
                await writer.add("three", as: .token)
                let flushed = await writer.flush(within: Self.patience)
                await writer.add(" four", as: .token)
                await writer.flush(within: Self.patience)
                let entries = try await bench.entries()
                #expect(entries.map(\.type) == [.start, .snapshot, .token])
                #expect(entries[0].id == .start)
                #expect(entries[1].id >= flushed)
                #expect(entries[2].id == entries[1].id.next)
                #expect(try ClientText(entries).text == "one two three four")
                #expect(try entries[1].data(as: EventData.Snapshot.self).iteration == 2)
            }
        }
    }

    @Test func `other events that were lost on the way into a lost log are in the new one`() async throws {
        try await withLog { bench in
            _ = try await bench.write(epoch: 7) { writer in
                await writer.add("text", as: .token)
                writer.add(Self.progress(2, of: bench.job), as: .progress)
                await writer.add("more", as: .token)
                await writer.flush(within: Self.patience)
            }
            let entries = try await bench.entries()
            #expect(entries.map(\.type).prefix(2) == [.start, .progress])
            #expect(try ClientText(entries).text == "more")
        }
    }

    @Test func `a log that is gone is not made anew by a writer whose lease is gone`() async throws {
        try await withLog { bench in
            let next = try await bench.write(epoch: 7, isOurs: { false }) { writer in
                await writer.add("hello", as: .token)
                await writer.flush(within: Self.patience)
            }
            #expect(next == nil)
            #expect(try await bench.table().isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func `a Redis that restarts in the middle loses no text and doubles none`(_ keepsData: Bool) async throws {
        try await withLog(appendOnly: keepsData, commandTimeout: .seconds(2)) { bench in
            try await bench.create()
            let words = (0..<90).map { "word\($0) " }
            let next = try await bench.write(epoch: 7) { writer in
                for word in words[..<30] { await writer.add(word, as: .token) }
                await writer.flush(within: Self.patience)
                try await bench.server.kill()
                for word in words[30..<60] { await writer.add(word, as: .token) }
                #expect(await writer.flush(within: .milliseconds(50)).epoch == 7)
                try await bench.server.restart()
                for word in words[60...] { await writer.add(word, as: .token) }
                await writer.flush(within: Self.patience)
            }
            let entries = try await bench.entries()
            #expect(try ClientText(entries).text == words.joined())
            #expect(Set(entries.map(\.id)).count == entries.count)
            #expect(try #require(next) > #require(entries.last).id)
            if keepsData { #expect(!entries.contains { $0.type == .snapshot }) }
        }
    }

    @Test func `a truncation says where its iteration began`() async throws {
        try await withLog { bench in
            try await bench.create()
            _ = try await bench.write(epoch: 7) { writer in
                writer.truncateIteration()
                writer.add(Self.progress(1, of: bench.job), as: .progress)
                await writer.add("one", as: .token)
                writer.add(Self.progress(2, of: bench.job), as: .progress)
                await writer.add("gone", as: .token)
                writer.truncateIteration()
                await writer.add("two", as: .token)
                await writer.flush(within: Self.patience)
            }
            let entries = try await bench.entries()
            let targets = try entries.filter { $0.type == .truncate }.map {
                try $0.data(as: EventData.Truncate.self).to
            }
            #expect(targets == [.start, entries.last { $0.type == .progress }?.id])
            #expect(try ClientText(entries).text == "two")
        }
    }

    @Test func `an engine that writes too much for a silent Redis waits a moment and goes on`() async throws {
        try await withLog { bench in
            try await bench.create()
            _ = try await bench.write(epoch: 7) { writer in
                await writer.add("first", as: .token)
                await writer.flush(within: Self.patience)
                bench.server.pause()
                let start = ContinuousClock.now
                let megabyte = String(repeating: "x", count: LogWriter.textBytesMax)
                for _ in 0..<3 { await writer.add(megabyte, as: .token) }
                let waited = start.duration(to: .now)
                bench.server.resume()
                #expect(waited >= .milliseconds(500))
                #expect(waited < .seconds(10))
                await writer.flush(within: Self.patience)
            }
            let text = try ClientText(try await bench.entries()).text
            #expect(text.utf8.count == 5 + 3 * LogWriter.textBytesMax)
        }
    }

    @Test func `a log keeps about so many events, and a snapshot among them`() async throws {
        try await withLog(eventsMax: 100) { bench in
            try await bench.create()
            _ = try await bench.write(epoch: 7) { writer in
                for number in 1...600 { writer.add(Self.progress(number, of: bench.job), as: .progress) }
                await writer.flush(within: Self.patience)
            }
            let count = try await bench.entries().count
            // `~` trims whole nodes of a hundred entries.
            #expect((100...250).contains(count))
        }
    }

    @Test func `a closed log expires, and its terminal event is last`() async throws {
        try await withLog { bench in
            try await bench.create()
            let id = EventID(epoch: 7, sequence: 0)
            #expect(try await bench.log.close(bench.job, with: try bench.complete(at: id), ttl: .seconds(100)) == .all)
            #expect(try await bench.log.last(of: bench.job)?.type == .complete)
            let key = RedisArgument.string(bench.log.channel(of: bench.job))
            let milliseconds = try await bench.redis.send(RedisCommand("PTTL", key)).int ?? 0
            #expect((1...100_000).contains(milliseconds))
        }
    }

    @Test func `a new log is made by the first events, its start before them`() async throws {
        try await withLog { bench in
            _ = try await bench.write(epoch: 7, isNew: true) { writer in
                let before = try await bench.table()
                writer.add(Self.progress(1, of: bench.job), as: .progress)
                await writer.flush(within: Self.patience)
                let begun = try await bench.table()
                #expect(before.isEmpty)
                #expect(begun == ["0-1 start", "7-0 progress"])
                await writer.add("text", as: .token)
                await writer.flush(within: Self.patience)
            }
            #expect(try await bench.table() == ["0-1 start", "7-0 progress", "7-1 token"])
        }
    }

    @Test func `what was not sent when the writer closes goes with the end, in one log`() async throws {
        try await withLog { bench in
            let writer = try bench.writer(epoch: 7, isNew: true)
            writer.add(Self.progress(1, of: bench.job), as: .progress)
            await writer.add("text", as: .token)
            let (remainder, next) = writer.close()
            #expect(await writer.run())
            #expect(remainder.createsLog)
            #expect(remainder.frames.map(\.type) == [.start, .progress, .token])
            #expect(try await bench.table().isEmpty)
            let terminal = try bench.complete(at: next)
            let appended = try await bench.log.close(bench.job, after: remainder, with: terminal, ttl: .seconds(60))
            #expect(appended == .all)
            #expect(try await bench.table() == ["0-1 start", "7-0 progress", "7-1 token", "7-2 complete"])
        }
    }

    @Test func `with everything sent nothing is left, and an end without a log makes none`() async throws {
        try await withLog { bench in
            let writer = try bench.writer(epoch: 7, isNew: true)
            async let isOurs = writer.run()
            await writer.add("text", as: .token)
            await writer.flush(within: Self.patience)
            let (remainder, next) = writer.close()
            #expect(await isOurs)
            #expect(remainder.frames.isEmpty && !remainder.createsLog)
            try await bench.log.delete(bench.job)
            let terminal = try bench.complete(at: next)
            let appended = try await bench.log.close(bench.job, after: remainder, with: terminal, ttl: .seconds(60))
            #expect(appended == .logMissing)
            #expect(try await bench.table().isEmpty)
        }
    }

    @Test func `a first batch that comes too late is refused, and a fenced writer has nothing left to say`()
        async throws
    {
        try await withLog { bench in
            let writer = try bench.writer(epoch: 7, isNew: true)
            await writer.add("late", as: .token)
            let attempt = EventData.Attempt(jobID: bench.job, attempt: 1, reason: "lost")
            let fence = try EventFrame(id: EventID(epoch: 9, sequence: 0), type: .attempt, data: attempt)
            try await bench.log.recreate(bench.job, with: [try bench.start, fence])
            #expect(await !writer.run())
            await writer.add("later", as: .token)
            #expect(writer.close().remainder.frames.isEmpty)
            #expect(try await bench.table() == ["0-1 start", "9-0 attempt"])
        }
    }

    @Test func `a Redis that is away while the log is begun gets it whole when it is back`() async throws {
        try await withLog(commandTimeout: .seconds(2)) { bench in
            try await bench.server.kill()
            let writer = try bench.writer(epoch: 7, isNew: true)
            async let isOurs = writer.run()
            await writer.add("one ", as: .token)
            #expect(await writer.flush(within: .milliseconds(50)) == .start)
            await writer.add("two", as: .token)
            try await bench.server.restart()
            await writer.flush(within: Self.patience)
            _ = writer.close()
            #expect(await isOurs)
            #expect(try await bench.table().first == "0-1 start")
            #expect(try ClientText(try await bench.entries()).text == "one two")
        }
    }
}
