import Domain
import Testing
import TestSupport

@testable import Events

/// What is kept of a text that nobody ends.
@Suite(.timeLimit(.minutes(1)))
struct ShownTextTests {
    private static let job: JobID = JobID(rawValue: "a")

    private static func token(_ text: String, _ type: EventType = .token) -> EventFrame {
        EventFrame(id: EventID(epoch: 7, sequence: 0), type: type, text: text, jobID: Self.job)
    }

    private static func frame(_ type: EventType, _ data: some Encodable) throws -> EventFrame {
        try EventFrame(id: EventID(epoch: 7, sequence: 0), type: type, data: data)
    }

    private static func progress() throws -> EventFrame {
        try Self.frame(.progress, EventData.Iteration(jobID: Self.job, iteration: 1, maxIterations: 5))
    }

    private static func truncate() throws -> EventFrame {
        try Self.frame(.truncate, EventData.Truncate(jobID: Self.job, to: .start))
    }

    @Test func `text and reasoning are gathered apart`() {
        let shown = ShownText([
            Self.token("let me", .reasoning), Self.token("a"), Self.token(" see", .reasoning), Self.token("b"),
        ])
        #expect(shown.text == "ab")
        #expect(shown.reasoning == "let me see")
    }

    @Test func `of several iterations the last counts`() throws {
        let shown = ShownText([
            try Self.progress(), Self.token("first"), try Self.progress(), Self.token("second"),
        ])
        #expect(shown.text == "second")
    }

    @Test func `what was taken back counts until there is something else`() throws {
        let old = [try Self.progress(), Self.token("why", .reasoning), Self.token("old")]
        for end in [[try Self.truncate()], [try Self.truncate(), try Self.progress()], [try Self.progress()]] {
            let kept = ShownText(old + end)
            #expect(kept.text == "old")
            #expect(kept.reasoning == "why")
            let replaced = ShownText(old + end + [Self.token("new")])
            #expect(replaced.text == "new")
            #expect(replaced.reasoning == "")
        }
    }

    @Test func `a snapshot is the whole text`() throws {
        let data = EventData.Snapshot(jobID: Self.job, text: "all", reasoning: "why", iteration: 2)
        let shown = ShownText([Self.token("gone"), try Self.frame(.snapshot, data), Self.token(" of it")])
        #expect(shown.text == "all of it")
        #expect(shown.reasoning == "why")
    }

    @Test func `a long log is read to its end`() async throws {
        try await withLog { bench in
            try await bench.create()
            try await bench.append(2500, from: EventID(epoch: 7, sequence: 0))
            let shown = try await bench.log.shownText(of: bench.job)
            #expect(shown.text == (0..<2500).map { "w\($0) " }.joined())
        }
    }

    @Test func `a log that is gone has shown nothing`() async throws {
        try await withLog { bench in
            let shown = try await bench.log.shownText(of: bench.job)
            #expect(shown == ShownText())
        }
    }
}
