import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerSubmitTests {
    @Test(arguments: [
        (busy: false, hasRoom: true, state: JobState.dispatched, row: "new dispatched head 0/0/0"),
        (busy: false, hasRoom: false, state: .queued, row: "new queued head 0/0/0"),
        (busy: true, hasRoom: true, state: .queued, row: "new queued 0/0/0"),
        (busy: true, hasRoom: false, state: .queued, row: "new queued 0/0/0"),
    ])
    func `a job is dispatched at once only when its lane is idle and there is room`(
        busy: Bool,
        hasRoom: Bool,
        state: JobState,
        row: String
    ) async throws {
        try await withTestStore { store in
            if busy { try await store.submit("old", lane: "c") }
            #expect(try await store.submit("new", lane: "c", hasRoom: hasRoom) == state)
            #expect(try await store.jobs().last == row)
        }
    }

    @Test(arguments: [JobState.queued, .dispatched, .running, .waiting, .scheduled])
    func `a lane is busy whatever its open job does`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("old", lane: "c")
            try await store.execute("UPDATE jobs SET state = $1", [.text(state.rawValue)])
            #expect(try await store.submit("new", lane: "c", hasRoom: true) == .queued)
            #expect(try await store.jobs() == ["old \(state) head 0/0/0", "new queued 0/0/0"])
        }
    }

    @Test(arguments: [JobState.completed, .failed, .cancelled])
    func `an ended job leaves its lane idle`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("old", lane: "c")
            try await store.finish(try await store.run("old"), state)
            #expect(try await store.submit("new", lane: "c", hasRoom: true) == .dispatched)
        }
    }

    @Test
    func `jobs without a conversation and other lanes do not wait for each other`() async throws {
        try await withTestStore { store in
            try await store.ledger { ledger in
                for id in ["a", "b"] as [JobID] {
                    let state = try ledger.submit(
                        NewJob(id: id, kind: .chat, tenant: .default, payload: "{}"),
                        hasRoom: true
                    )
                    #expect(state == .accepted(.dispatched))
                }
            }
            #expect(try await store.submit("c", lane: "c", hasRoom: true) == .dispatched)
            #expect(try await store.submit("d", lane: "d", hasRoom: true) == .dispatched)
        }
    }

    @Test
    func `the same conversation id of two tenants is two lanes`() async throws {
        try await withTestStore { store in
            let states = [
                try await store.submit("a", lane: "c", tenant: "t1", hasRoom: true),
                try await store.submit("b", lane: "c", tenant: "t2", hasRoom: true),
                try await store.submit("c", lane: "c", tenant: "t1", hasRoom: true),
            ]
            #expect(states == [.dispatched, .dispatched, .queued])
        }
    }

    @Test
    func `the row tells what was submitted and when`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c", tenant: "t1", priority: .low, hasRoom: true)
            let job = try await store.job("j1")
            #expect(job.tenant == "t1")
            #expect(job.priority == .low)
            #expect(job.conversationID == "c")
            #expect(job.createdAt == store.clock.now)
            #expect(job.epoch == 0 && job.workerID == nil && job.startedAt == nil && job.finishedAt == nil)
            #expect(!job.cancelRequested && !job.announced)
            #expect(try JSON.decode(ChatPayload.self, from: job.payload).text == "Question of j1")
        }
    }

    @Test
    func `a job is seen by its tenant only`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", tenant: "t1")
            #expect(try await store.ledger { try $0.job("j1", of: "t1") }?.id == "j1")
            #expect(try await store.ledger { try $0.job("j1", of: "t2") } == nil)
            #expect(try await store.ledger { try $0.job("j1") }?.id == "j1")
            #expect(try await store.ledger { try $0.job("none") } == nil)
        }
    }

    @Test
    func `an id that exists is refused and changes nothing`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            await #expect(throws: StoreError.self) { try await store.submit("j1", lane: "d", hasRoom: true) }
            #expect(try await store.jobs() == ["j1 queued head 0/0/0"])
            #expect(try await store.job("j1").conversationID == "c")
        }
    }

    @Test
    func `submissions to one lane at once queue up in one line`() async throws {
        try await withTestStore { store in
            try await withThrowingTaskGroup { group in
                for number in 0..<100 {
                    group.addTask { try await store.submit(JobID(rawValue: "j\(number)"), lane: "c", hasRoom: true) }
                }
                try await group.waitForAll()
            }
            #expect(try await store.texts("SELECT COUNT(*) FROM jobs WHERE lane_head = 1") == ["1"])
            #expect(try await store.texts("SELECT COUNT(*) FROM jobs WHERE state = 'dispatched'") == ["1"])
            #expect(try await store.texts("SELECT COUNT(DISTINCT lane_position) FROM jobs") == ["100"])
        }
    }

    @Test
    func `as many jobs of a lane are accepted as may be open, and one more when one has ended`() async throws {
        try await withTestStore { store in
            for id in ["j1", "j2"] as [JobID] {
                #expect(try await store.accept(.noop(id, lane: "c"), laneMax: 2) == .accepted(.queued))
            }
            #expect(try await store.accept(.noop("j3", lane: "c"), hasRoom: true, laneMax: 2) == .laneFull)
            #expect(try await store.jobs().count == 2)
            // Other lanes, and the same one with another bound, are not full.
            #expect(try await store.accept(.noop("other", lane: "d"), laneMax: 2) == .accepted(.queued))
            #expect(try await store.accept(.noop("own"), laneMax: 1) == .accepted(.queued))
            try await store.finish(try await store.run("j1"))
            #expect(try await store.accept(.noop("j3", lane: "c"), laneMax: 2) == .accepted(.queued))
        }
    }

    @Test
    func `jobs that are not due do not count against their lane`() async throws {
        try await withTestStore { store async throws in
            let later = store.clock.now + .seconds(9)
            for id in ["j1", "j2"] as [JobID] {
                #expect(try await store.accept(.noop(id, lane: "c", runAt: later), laneMax: 1) == .accepted(.scheduled))
            }
            #expect(try await store.accept(.noop("j3", lane: "c"), laneMax: 1) == .accepted(.queued))
            #expect(try await store.accept(.noop("j4", lane: "c"), laneMax: 1) == .laneFull)
        }
    }
}
