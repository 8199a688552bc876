import Domain
import Events
import Redis
import Store
import Testing
import TestSupport

@testable import Queue

/// A parent and the children that it waits for.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ChildrenTests {
    /// Claims `parent`, which then waits for `count` children `parent.0…`, and dispatches them.
    private static func wait(
        for count: Int,
        onFailure policy: ChildFailurePolicy = .failParent,
        on test: TestQueue
    ) async throws -> Lease {
        try await test.submit("parent")
        let lease = try #require(try await test.claim().first)
        try await test.begin(lease)
        let children = try (0..<count).map { try Self.child($0, on: test) }
        try await test.queue.wait(lease, for: children, onFailure: policy) { connection in
            for child in children {
                let conversation = child.conversationID ?? ConversationID()
                try Conversations(connection).ensure(conversation, of: .default, title: "T", agent: .default)
            }
        }
        try await test.queue.dispatcher.pass(isTick: true)
        return lease
    }

    private static func child(_ index: Int, lane: ConversationID? = nil, on test: TestQueue) throws -> NewJob {
        var child = try test.newJob(JobID(rawValue: "child\(index)"), lane: lane)
        child.parent = NewJob.Parent(id: "parent", step: 0, index: index)
        return child
    }

    // MARK: Ids

    @Test func `a child's id is the same for the same place, and another for any other`() {
        let parent = JobID()
        #expect(JobID.child(of: parent, step: 0, index: 0) == .child(of: parent, step: 0, index: 0))
        var ids: Set<JobID> = []
        for step in 0..<20 {
            for index in 0..<20 { ids.insert(.child(of: parent, step: step, index: index)) }
        }
        ids.formUnion((0..<20).map { .child(of: .child(of: parent, step: 0, index: 0), step: 0, index: $0) })
        ids.insert(.child(of: JobID(), step: 0, index: 0))
        #expect(ids.count == 421)
    }

    @Test func `a child's id is a UUIDv7 of its parent's time`() throws {
        let parent = JobID()
        for index in 0..<50 {
            let child = JobID.child(of: parent, step: 3, index: index).rawValue
            #expect(child.count == parent.rawValue.count)
            #expect(child.prefix(16) == parent.rawValue.prefix(16))
            let uuid = child.dropFirst(4)
            #expect(uuid.allSatisfy { $0.isHexDigit && !$0.isUppercase })
            #expect(uuid.dropFirst(12).first == "7")
            #expect(uuid.dropFirst(16).first == "8")
        }
    }

    @Test func `the id of a child never changes, as old parents look for theirs`() {
        let id = JobID.child(of: "job_01a20acf70d670088f5beef125c56fcf", step: 0, index: 0)
        #expect(id == "job_01a20acf70d67f188cebf73ba8c8eb76")
    }

    // MARK: Waiting

    @Test func `a parent waits without a lease, its attempt not counted, until its last child has ended`() async throws
    {
        try await withTestQueue { test in
            let lease = try await Self.wait(for: 2, on: test)
            #expect(
                try await test.jobs() == [
                    "parent waiting head 0/1/0", "child0 dispatched head 0/0/0", "child1 dispatched head 0/0/0",
                ]
            )
            #expect(await !test.queue.holds(lease))
            for (index, child) in try await test.claim().enumerated() {
                #expect(try await test.job("parent").state == .waiting)
                #expect(child.id == JobID(rawValue: "child\(index)"))
                try await test.finish(child)
            }
            #expect(try await test.job("parent").state == .queued)
            try await test.queue.dispatcher.pass(isTick: false)
            let again = try #require(try await test.claim().first)
            #expect(again.id == "parent")
            #expect(again.job.attempt == 1 && again.job.claims == 2)
            let children = try await test.queue.children(of: "parent")
            #expect(children.map(\.id) == ["child0", "child1"])
            #expect(children.allSatisfy { $0.state == .completed && $0.parentID == "parent" })
        }
    }

    @Test func `a reaper leaves a parent that waits alone`() async throws {
        try await withTestQueue { test in
            _ = try await Self.wait(for: 1, on: test)
            for _ in 0..<3 {
                test.clock.advance(by: .seconds(3600))
                await test.reaper.pass()
                try await test.queue.dispatcher.pass(isTick: true)
            }
            #expect(try await test.job("parent").state == .waiting)
        }
    }

    @Test func `a worker that lost the parent submits no children`() async throws {
        try await withTestQueue { test in
            try await test.submit("parent")
            let lease = try #require(try await test.claim().first)
            test.clock.advance(by: .seconds(21))
            await test.reaper.pass()
            let children = [try Self.child(0, on: test)]
            let error = await #expect(throws: QueueError.self) {
                try await test.queue.wait(lease, for: children, onFailure: .continue)
            }
            #expect(error?.code == .fenced)
            #expect(try await test.jobs() == ["parent queued head 1/1/1"])
        }
    }

    @Test func `a child in its parent's own lane is refused, as it would wait for ever`() async throws {
        try await withTestQueue { test in
            try await test.submit("parent", lane: "c")
            let lease = try #require(try await test.claim().first)
            let children = [try Self.child(0, on: test), try Self.child(1, lane: "c", on: test)]
            let error = await #expect(throws: QueueError.self) {
                try await test.queue.wait(lease, for: children, onFailure: .continue)
            }
            #expect(error?.code == .conflict)
            #expect(try await test.jobs() == ["parent running head 1/1/0"])
        }
    }

    // MARK: Failure

    @Test func `one that fails takes its siblings with it, the running ones by their workers`() async throws {
        try await withTestQueue({ $0.dispatchWindowMin = 2 }) { test in
            _ = try await Self.wait(for: 3, on: test)
            let leases = try await test.claim()
            #expect(leases.map(\.id) == ["child0", "child1"])
            try await test.finish(leases[0], .failed)
            #expect(try await test.job("child2").state == .cancelled)
            #expect(try await test.beat("w1") == WorkerOrders(cancel: ["child1"], drain: false))
            #expect(try await test.job("parent").state == .waiting)
            try await test.finish(leases[1], .cancelled)
            #expect(try await test.job("parent").state == .queued)
        }
    }

    @Test func `with the other policy the siblings go on`() async throws {
        try await withTestQueue { test in
            _ = try await Self.wait(for: 2, onFailure: .continue, on: test)
            let leases = try await test.claim()
            try await test.finish(leases[0], .failed)
            await test.reaper.pass()
            #expect(try await test.beat("w1").cancel.isEmpty)
            #expect(try await test.job("child1").state == .running)
            try await test.finish(leases[1])
            #expect(try await test.job("parent").state == .queued)
        }
    }

    @Test func `siblings that a crash has left running are cancelled by a reaper`() async throws {
        try await withTestQueue { test in
            _ = try await Self.wait(for: 3, on: test)
            let lease = try #require(try await test.claim(1).first)
            try await test.database.write(.durable) { connection in
                try Ledger(connection).finish(lease.id, epoch: lease.epoch, TestQueue.ending(.failed))
            }
            #expect(try await test.job("child1").state == .dispatched)
            await test.reaper.pass()
            for id: JobID in ["child1", "child2"] { #expect(try await test.job(id).state == .cancelled) }
            #expect(try await test.job("parent").state == .queued)
        }
    }

    @Test func `a child that is lost too often fails its siblings too`() async throws {
        try await withTestQueue({ $0.retries.lostMax = 0 }) { test in
            _ = try await Self.wait(for: 2, on: test)
            try await test.claim(1, by: "dead")
            test.clock.advance(by: .seconds(21))
            await test.reaper.pass()
            #expect(try await test.job("child0").state == .dead)
            #expect(try await test.job("child1").state == .cancelled)
            #expect(try await test.job("parent").state == .queued)
        }
    }

    @Test func `a child that somebody cancels fails its siblings at once`() async throws {
        try await withTestQueue { test in
            _ = try await Self.wait(for: 2, on: test)
            try await test.cancel("child0")
            #expect(try await test.job("child1").state == .cancelled)
            #expect(try await test.job("parent").state == .queued)
        }
    }

    // MARK: Cancel

    @Test func `a cancel of the parent goes down to its children, one of a child not up`() async throws {
        try await withTestQueue { test in
            _ = try await Self.wait(for: 2, onFailure: .continue, on: test)
            let lease = try #require(try await test.claim(1).first)
            try await test.begin(lease)
            try await test.cancel("child1")
            #expect(try await test.job("parent").state == .waiting)
            #expect(try await test.cancel("parent") == ["ended parent at +1-0", "requested child0"])
            #expect(try await test.events("parent") == ["0-1 start", "+0-0 token", "+1-0 cancelled"])
            #expect(try await test.job("parent").announced)
            #expect(try await test.beat("w1").cancel == ["child0"])
            try await test.finish(lease, .cancelled)
            // Nobody wakes a parent that has ended.
            #expect(try await test.job("parent").state == .cancelled)
            #expect(try await test.events("parent").count == 3)
        }
    }

    @Test func `a cancel that came before the children were submitted reaches them all the same`() async throws {
        try await withTestQueue { test in
            try await test.submit("parent")
            let lease = try #require(try await test.claim().first)
            try await test.begin(lease)
            #expect(try await test.cancel("parent") == ["requested parent"])
            let children = [try Self.child(0, on: test), try Self.child(1, on: test)]
            try await test.queue.wait(lease, for: children, onFailure: .failParent)
            #expect(
                try await test.jobs() == [
                    "parent cancelled head 0/1/0 announced", "child0 cancelled head 0/0/0 announced",
                    "child1 cancelled head 0/0/0 announced",
                ]
            )
            #expect(try await test.events("parent") == ["0-1 start", "+0-0 token", "+1-0 cancelled"])
        }
    }
}
