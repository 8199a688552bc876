import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerRedriveTests {
    private static let failure = JobFailure(code: "odd", message: "Odd.", retryable: true)

    private func fail(_ id: JobID, in store: TestStore) async throws {
        let job = try await store.run(id)
        try await store.ledger { ledger in
            try ledger.finish(id, epoch: job.epoch, Ending(state: .failed, failure: Self.failure, usage: "{}"))
        }
    }

    // MARK: Redrive

    @Test(arguments: [JobState.failed, .dead])
    func `a job that failed is put back with fresh counters under a new epoch`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await self.fail("j1", in: store)
            try await store.execute(
                "UPDATE jobs SET state = $1, lost = 4, failures = 2, announced = 1, cancel_requested_at = 9",
                [.text(state.rawValue)]
            )
            let before = try await store.job("j1")
            #expect(try await store.ledger { try $0.redrive("j1", of: .default) })
            #expect(try await store.jobs() == ["j1 queued head 0/0/0"])
            let job = try await store.job("j1")
            #expect(job.epoch > before.epoch && job.redrives == 1 && job.failures == 0)
            #expect(job.failure == nil && job.result == nil && job.usage == nil && job.stopReason == nil)
            #expect(!job.announced && !job.cancelRequested)
            #expect(job.finishedAt == nil && job.startedAt == nil && job.workerID == nil)
            let again = try await store.run("j1")
            #expect(again.attempt == 1 && again.claims == 1 && again.epoch > job.epoch)
            // The message is in the conversation since the first time.
            #expect(try await store.dialog("c") == ["user: Question of j1"])
            try await store.finish(again)
        }
    }

    @Test
    func `a job that is put back goes to the end of its lane`() async throws {
        try await withTestStore { store in
            for id in ["j1", "j2", "j3"] as [JobID] { try await store.submit(id, lane: "c") }
            try await self.fail("j1", in: store)
            #expect(try await store.ledger { try $0.redrive("j1", of: .default) })
            try await store.submit("j4", lane: "c")
            for id in ["j2", "j3", "j1", "j4"] as [JobID] {
                #expect(try await store.ledger { try $0.dispatchReady() } == [id])
                try await store.finish(try await store.run(id))
            }
        }
    }

    @Test(arguments: JobState.allCases.filter { $0 != .failed && $0 != .dead })
    func `a job in another state is not put back`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            try await store.execute("UPDATE jobs SET state = $1", [.text(state.rawValue)])
            let before = try await store.job("j1")
            #expect(try await store.ledger { try $0.redrive("j1", of: .default) } == false)
            #expect(try await store.job("j1") == before)
        }
    }

    @Test
    func `another tenant's job, or none, is neither put back nor deleted`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", tenant: "t1")
            try await self.fail("j1", in: store)
            for id in ["j1", "none"] as [JobID] {
                let redrive = await #expect(throws: StoreError.self) {
                    _ = try await store.ledger { try $0.redrive(id, of: "t2") }
                }
                let delete = await #expect(throws: StoreError.self) {
                    _ = try await store.ledger { try $0.delete(id, of: "t2") }
                }
                #expect(redrive?.code == .notFound && delete?.code == .notFound)
            }
            #expect(try await store.jobs() == ["j1 failed head 1/1/0"])
        }
    }

    @Test
    func `a worker of the time before the redrive changes nothing any more`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let job = try await store.run("j1", by: "gone")
            _ = try await store.ledger { try $0.reap(lease: .seconds(20), lostMax: 0, limit: 9) }
            #expect(try await store.ledger { try $0.redrive("j1", of: .default) })
            try await store.run("j1")
            let error = await #expect(throws: StoreError.self) { try await store.finish(job) }
            #expect(error?.code == .fenced)
        }
    }

    @Test
    func `what the journal of a job that is put back has is not done again`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let job = try await store.run("j1")
            let step = Step(index: 0, kind: .modelTurn, state: .done, result: nil, usage: nil, covers: .zero)
            try await store.ledger { try $0.record(step, of: "j1", epoch: job.epoch) }
            try await store.finish(job, .failed)
            #expect(try await store.ledger { try $0.redrive("j1", of: .default) })
            try await store.run("j1")
            #expect(try await store.ledger { try $0.steps(of: "j1") } == [step])
        }
    }

    @Test
    func `a parent that is put back takes its children with it that did not complete`() async throws {
        try await withTestStore { store in
            try await store.submitTree("root", ["a", "b", "c", "d"], onFailure: .failParent)
            for (id, state) in [("a", .completed), ("b", .failed), ("c", .dead), ("d", .cancelled)]
                as [(JobID, JobState)]
            {
                try await store.finish(try await store.run(id), state)
            }
            try await store.finish(try await store.run("root"), .failed)
            #expect(try await store.ledger { try $0.redrive("root", of: .default) })
            #expect(
                try await store.states(of: ["root", "a", "b", "c", "d"])
                    == [.queued, .completed, .queued, .queued, .queued]
            )
            #expect(try await store.ledger { try $0.children(of: "root") }.map(\.redrives) == [0, 1, 1, 1])
            try await store.wait(try await store.run("root"), for: ["a", "b", "c", "d"], onFailure: .failParent)
            #expect(try await store.ledger { try $0.failedParents(limit: 9) } == [])
            for id in ["b", "c", "d"] as [JobID] { try await store.finish(try await store.run(id)) }
            #expect(try await store.states(of: ["root"]) == [.queued])
        }
    }

    // MARK: Delete

    @Test
    func `an ended job is deleted with its steps and all that is under it`() async throws {
        try await withTestStore { store in
            try await store.submitTree("root", ["a", "b"])
            try await store.wait(try await store.run("b"), for: ["b1"])
            for id in ["b1", "b", "a"] as [JobID] {
                let job = try await store.run(id)
                let step = Step(index: 0, kind: .modelTurn, state: .done, result: nil, usage: nil, covers: .zero)
                try await store.ledger { try $0.record(step, of: id, epoch: job.epoch) }
                try await store.finish(job)
            }
            try await store.finish(try await store.run("root"))
            try await store.submit("other")
            #expect(try await store.ledger { try $0.delete("root", of: .default) })
            #expect(try await store.jobs() == ["other queued head 0/0/0"])
            #expect(try await store.texts("SELECT job_id FROM steps") == [])
        }
    }

    @Test(arguments: [JobState.scheduled, .queued, .dispatched, .running, .waiting])
    func `an open job is not deleted`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            try await store.execute("UPDATE jobs SET state = $1", [.text(state.rawValue)])
            #expect(try await store.ledger { try $0.delete("j1", of: .default) } == false)
            #expect(try await store.jobs().count == 1)
        }
    }

    @Test
    func `a job is not deleted while one under it is open, however deep and whatever is between`() async throws {
        try await withTestStore { store in
            try await store.submitTree("root", ["a"])
            try await store.wait(try await store.run("a"), for: ["a1"])
            try await store.run("a1")
            // Ends all but the one that runs.
            _ = try await store.ledger { try $0.cancel("root", of: .default) }
            #expect(try await store.states(of: ["root", "a", "a1"]) == [.cancelled, .cancelled, .running])
            #expect(try await store.ledger { try $0.delete("a", of: .default) } == false)
            #expect(try await store.ledger { try $0.delete("root", of: .default) } == false)
            #expect(try await store.jobs().count == 3)
            try await store.finish(try await store.job("a1"), .cancelled)
            #expect(try await store.ledger { try $0.delete("root", of: .default) })
            #expect(try await store.jobs() == [])
        }
    }

    @Test
    func `a child is not deleted while its parent is open, which would make it anew`() async throws {
        try await withTestStore { store in
            try await store.submitTree("root", ["a", "b"])
            try await store.finish(try await store.run("a"))
            #expect(try await store.ledger { try $0.delete("a", of: .default) } == false)
            try await store.finish(try await store.run("b"))
            try await store.wait(try await store.run("root"), for: ["a", "b"])
            #expect(
                try await store.jobs() == [
                    "root queued head 0/2/0", "a completed head 1/1/0", "b completed head 1/1/0",
                ]
            )
            try await store.finish(try await store.run("root"))
            #expect(try await store.ledger { try $0.delete("a", of: .default) })
        }
    }

    // MARK: Expire

    private func expire(_ store: TestStore, after age: Duration, limit: Int = 100) async throws -> Int {
        let cutoff = store.clock.now - age
        return try await store.ledger { try $0.expire(endedBefore: cutoff, limit: limit) }
    }

    @Test
    func `jobs go some time after their end, the oldest first, and open ones never`() async throws {
        try await withTestStore { store in
            for id in ["a", "b", "c", "open"] as [JobID] { try await store.submit(id) }
            for id in ["c", "a", "b"] as [JobID] {
                try await store.finish(try await store.run(id))
                try await store.ledger { try $0.announced([id]) }
                store.clock.advance(by: .seconds(10))
            }
            let left = { try await store.texts("SELECT id FROM jobs ORDER BY id") }
            #expect(try await self.expire(store, after: .seconds(30)) == 0)
            store.clock.advance(by: .milliseconds(1))
            #expect(try await self.expire(store, after: .seconds(30)) == 1)
            #expect(try await left() == ["a", "b", "open"])
            #expect(try await self.expire(store, after: .zero, limit: 1) == 1)
            #expect(try await left() == ["b", "open"])
            #expect(try await self.expire(store, after: .zero) == 1)
            #expect(try await left() == ["open"])
        }
    }

    @Test
    func `a job whose end is not announced stays, so that somebody still announces it`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            try await store.finish(try await store.run("j1"))
            store.clock.advance(by: .seconds(60))
            #expect(try await self.expire(store, after: .seconds(1)) == 0)
            try await store.ledger { try $0.announced(["j1"]) }
            #expect(try await self.expire(store, after: .seconds(1)) == 1)
        }
    }

    @Test
    func `a child stays as long as its parent is open`() async throws {
        try await withTestStore { store in
            try await store.submitTree("root", ["a", "b"])
            try await store.finish(try await store.run("a"))
            try await store.ledger { try $0.announced(["a"]) }
            store.clock.advance(by: .seconds(60))
            #expect(try await self.expire(store, after: .seconds(1)) == 0)
            try await store.finish(try await store.run("b"))
            try await store.finish(try await store.run("root"))
            try await store.ledger { try $0.announced(["b", "root"]) }
            store.clock.advance(by: .seconds(60))
            #expect(try await self.expire(store, after: .seconds(1)) == 3)
        }
    }

    @Test
    func `a job stays as long as its key is remembered`() async throws {
        try await withTestStore { store in
            try await store.accept(.noop("j1", idempotency: .init(key: "k", bodyHash: "h")))
            try await store.finish(try await store.run("j1"))
            try await store.ledger { try $0.announced(["j1"]) }
            store.clock.advance(by: .seconds(60))
            #expect(try await self.expire(store, after: .seconds(1)) == 0)
            store.clock.advance(by: Ledger.idempotencyKept)
            #expect(try await self.expire(store, after: .seconds(1)) == 1)
        }
    }

    @Test
    func `idempotency keys are forgotten after a day, also of jobs that stay`() async throws {
        try await withTestStore { store in
            for (id, key) in [("old", "k"), ("new", "l")] as [(JobID, String)] {
                try await store.accept(.noop(id, idempotency: .init(key: key, bodyHash: "h")))
                store.clock.advance(by: .seconds(1))
            }
            store.clock.advance(by: Ledger.idempotencyKept - .milliseconds(1500))
            #expect(try await self.expire(store, after: .seconds(1)) == 0)
            #expect(try await store.texts("SELECT idempotency_key FROM jobs ORDER BY created_at") == ["NULL", "l"])
        }
    }
}
