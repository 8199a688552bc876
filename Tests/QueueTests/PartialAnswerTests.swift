import Domain
import Events
import Redis
import Store
import Testing
import TestSupport

@testable import Queue

/// What a conversation keeps of answers that were begun and not ended.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct PartialAnswerTests {
    private static func partial(of test: TestQueue, _ id: JobID = "a") async throws -> Message? {
        try await test.database.read { connection in
            try Conversations(connection).messages(of: "c", of: .default, last: 100)
        }.first { $0.role == .assistant && $0.metadata["job_id"] == .string(id.rawValue) }
    }

    private static func begun(_ text: String, on test: TestQueue) async throws -> Lease {
        try await test.submit("a", lane: "c")
        let lease = try #require(try await test.claim().first)
        try await test.begin(lease, saying: text)
        return lease
    }

    @Test func `a job that is lost once too often leaves what it has shown`() async throws {
        try await withTestQueue({ $0.retries.lostMax = 1 }) { test in
            _ = try await Self.begun("As far as", on: test)
            for _ in 0..<2 {
                test.clock.advance(by: .seconds(21))
                await test.reaper.pass()
                try await test.queue.dispatcher.pass(isTick: true)
                try await test.claim()
            }
            #expect(try await test.job("a").state == .dead)
            let message = try #require(try await Self.partial(of: test))
            #expect(message.id == "a.answer")
            #expect(message.content == "As far as")
            #expect(message.metadata == ["job_id": .string("a"), "partial": .bool(true)])
            #expect(try await test.dialog("c") == ["user: Question of a", "assistant: As far as"])
        }
    }

    @Test func `a job that is cancelled while it waits for its next attempt leaves what it has shown`() async throws {
        try await withTestQueue { test in
            let lease = try await Self.begun("Half", on: test)
            try await test.queue.release(lease)
            try await test.cancel("a")
            #expect(try await test.dialog("c") == ["user: Question of a", "assistant: Half"])
            #expect(try await Self.partial(of: test)?.metadata["partial"] == .bool(true))
        }
    }

    @Test func `a job whose worker is shut out leaves what it has shown`() async throws {
        try await withTestQueue { test in
            _ = try await Self.begun("Half", on: test)
            try await test.cancel("a")
            test.clock.advance(by: .seconds(16))
            await test.reaper.pass()
            #expect(try await test.dialog("c") == ["user: Question of a", "assistant: Half"])
            #expect(try await test.job("a").state == .cancelled)
        }
    }

    @Test func `text that a later attempt took back still counts while there is no other`() async throws {
        try await withTestQueue { test in
            let lease = try await Self.begun("Half", on: test)
            try await test.queue.release(lease)
            try await test.queue.dispatcher.pass(isTick: true)
            let again = try #require(try await test.claim().first)
            let truncate = EventData.Truncate(jobID: "a", to: .start)
            let id = EventID(epoch: again.epoch, sequence: 0)
            _ = try await test.log.append([try EventFrame(id: id, type: .truncate, data: truncate)], to: "a")
            try await test.queue.release(again)
            try await test.cancel("a")
            #expect(try await test.dialog("c").last == "assistant: Half")
        }
    }

    @Test func `a job that has shown nothing, or was never begun, leaves no message`() async throws {
        try await withTestQueue { test in
            try await test.submit("a", lane: "c")
            try await test.submit("b", lane: "c")
            let lease = try #require(try await test.claim().first)
            try await test.log.recreate("a", with: [try lease.job.startFrame()])
            try await test.queue.release(lease)
            try await test.cancel("a")
            try await test.cancel("b")
            #expect(try await test.dialog("c") == ["user: Question of a"])
        }
    }

    @Test func `with the log gone an end without an answer still is an end`() async throws {
        try await withTestQueue(commandTimeout: .seconds(2)) { test in
            let lease = try await Self.begun("Half", on: test)
            try await test.queue.release(lease)
            try await test.server.kill()
            try await test.cancel("a")
            #expect(try await test.job("a").state == .cancelled)
            #expect(try await test.dialog("c") == ["user: Question of a"])
        }
    }
}
