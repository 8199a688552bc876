import Domain
import Store
import Testing
import TestSupport

@testable import Queue

@Suite(.serialized, .timeLimit(.minutes(3)))
struct AnnouncementsTests {
    @Test func `many ends that are told at once are all noted`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 200 }) { test in
            for index in 0..<200 { try await test.submit(JobID(rawValue: "j\(index)")) }
            let leases = try await test.claim(200)
            try await withThrowingTaskGroup { group in
                for lease in leases { group.addTask { try await test.finish(lease) } }
                try await group.waitForAll()
            }
            try await eventually(within: .seconds(30), "all are noted") {
                try await test.jobs().allSatisfy { $0.hasSuffix("completed head 1/1/0 announced") }
            }
            #expect(leases.count == 200)
        }
    }

    @Test func `a note of a job that was put back meanwhile is none`() async throws {
        try await withTestQueue { test in
            try await test.submit("a")
            try await test.finish(try #require(try await test.claim().first), .failed)
            #expect(try await test.queue.redrive("a", of: .default))
            try await test.queue.announcements.note("a")
            #expect(try await test.jobs() == ["a queued head 0/0/0"])
        }
    }
}
