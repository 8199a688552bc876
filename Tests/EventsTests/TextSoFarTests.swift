import Domain
import Testing

@testable import Events

@Suite(.timeLimit(.minutes(1)))
struct TextSoFarTests {
    private static let job = JobID()
    private static let id = EventID(epoch: 9, sequence: 3)

    private static func progress(_ number: Int) -> PendingEvents.Item {
        .data(.progress, EventData.Iteration(jobID: Self.job, iteration: number, maxIterations: 5))
    }

    private static func snapshot(after items: [PendingEvents.Item]) throws -> EventData.Snapshot {
        var text = TextSoFar(job: Self.job)
        for item in items { text.apply(item) }
        let made = text.snapshot(id: Self.id)
        let frame = try #require(made)
        #expect(frame.id == Self.id)
        #expect(frame.type == .snapshot)
        return try frame.data(as: EventData.Snapshot.self)
    }

    @Test func `a snapshot before anything is empty`() throws {
        let snapshot = try Self.snapshot(after: [])
        #expect(snapshot == EventData.Snapshot(jobID: Self.job, text: "", reasoning: nil, iteration: 0))
    }

    @Test func `a snapshot has the text and reasoning of the current iteration`() throws {
        let snapshot = try Self.snapshot(after: [
            Self.progress(1), .text(.token, "gone"), .text(.reasoning, "gone"), Self.progress(2),
            .text(.reasoning, "hm"), .text(.token, "a"), .text(.token, "b"),
        ])
        #expect(snapshot == EventData.Snapshot(jobID: Self.job, text: "ab", reasoning: "hm", iteration: 2))
    }

    @Test func `text before a truncation does not count, whichever sort it is`() throws {
        let data = EventData.Truncate(jobID: Self.job, to: .start)
        for truncation in [PendingEvents.Item.truncateIteration, .data(.truncate, data)] {
            let snapshot = try Self.snapshot(after: [
                Self.progress(1), .text(.token, "gone"), .text(.reasoning, "gone"), truncation, .text(.token, "new"),
            ])
            #expect(snapshot.text == "new")
            #expect(snapshot.reasoning == nil)
            #expect(snapshot.iteration == 1)
        }
    }

    @Test func `a snapshot is due after so many events, and then after so many more`() {
        var text = TextSoFar(job: Self.job)
        for _ in 0..<2 {
            for _ in 1..<TextSoFar.snapshotInterval {
                text.apply(.text(.token, "x"))
            }
            #expect(!text.isSnapshotDue)
            text.apply(.text(.token, "x"))
            #expect(text.isSnapshotDue)
            _ = text.snapshot(id: Self.id)
            #expect(!text.isSnapshotDue)
        }
    }
}
