import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerCancelTests {
    @Test(arguments: [JobState.scheduled, .queued, .dispatched, .waiting])
    func `a job that does not run is cancelled at once and its lane goes on`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            try await store.execute(
                "UPDATE jobs SET state = $1, epoch = 5 WHERE id = 'j1'",
                [.text(state.rawValue)]
            )
            let result = try await store.ledger { try $0.cancel("j1", of: .default) }
            let end = EventID(epoch: store.clock.now.milliseconds, sequence: 0)
            #expect(result.tree?.ended.map(\.announceAt) == [end])
            #expect(result.tree?.requested == [])
            #expect(try await store.jobs() == ["j1 cancelled head 0/0/0", "j2 queued head 0/0/0"])
            let job = try await store.job("j1")
            #expect(job.stopReason == .cancelled && job.finishedAt == store.clock.now)
            #expect(try await store.ledger { try $0.claim(["j1"], by: "w1") } == [])
        }
    }

    @Test
    func `a running job is only asked to end, and the first time it was asked counts`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let job = try await store.run("j1")
            #expect(try await store.ledger { try $0.cancel("j1", of: .default) }.tree?.requested == ["j1"])
            let asked = store.clock.now
            store.clock.advance(by: .seconds(5))
            #expect(try await store.ledger { try $0.cancel("j1", of: .default) }.tree?.requested == ["j1"])
            #expect(try await store.job("j1").cancelRequested)
            #expect(try await store.texts("SELECT cancel_requested_at FROM jobs") == ["\(asked.milliseconds)"])
            // The lease still holds: the worker writes the end.
            try await store.finish(job, .cancelled)
        }
    }

    @Test(arguments: [JobState.completed, .failed, .cancelled, .dead])
    func `an ended job stays as it is`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let job = try await store.run("j1")
            try await store.finish(job, state)
            let before = try await store.job("j1")
            store.clock.advance(by: .seconds(5))
            #expect(try await store.ledger { try $0.cancel("j1", of: .default) } == .alreadyEnded(state))
            #expect(try await store.job("j1") == before)
        }
    }

    @Test
    func `cancelling a job in the middle of a lane leaves the others in order`() async throws {
        try await withTestStore { store in
            for id in ["j1", "j2", "j3"] as [JobID] { try await store.submit(id, lane: "c") }
            let first = try await store.run("j1")
            _ = try await store.ledger { try $0.cancel("j2", of: .default) }
            #expect(
                try await store.jobs() == ["j1 running head 1/1/0", "j2 cancelled 0/0/0", "j3 queued 0/0/0"]
            )
            try await store.submit("j4", lane: "c", hasRoom: true)
            try await store.finish(first)
            #expect(try await store.ledger { try $0.dispatchReady() } == ["j3"])
        }
    }

    @Test
    func `another tenant's job, or none, is not found`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", tenant: "t1")
            for id in ["j1", "none"] as [JobID] {
                let error = await #expect(throws: StoreError.self) {
                    _ = try await store.ledger { try $0.cancel(id, of: "t2") }
                }
                #expect(error?.code == .notFound)
            }
            #expect(try await store.jobs() == ["j1 queued head 0/0/0"])
        }
    }

    @Test
    func `a cancel and a finish at once leave one end`() async throws {
        try await withTestStore { store in
            for round in 0..<20 {
                let id = JobID(rawValue: "j\(round)")
                try await store.submit(id, hasRoom: true)
                async let claimed = store.ledger { try $0.claim([id], by: "w1").first }
                async let cancelled = store.ledger { try $0.cancel(id, of: .default) }
                let (job, result) = (try await claimed, try await cancelled)
                if let job {
                    #expect(result.tree?.requested == [id])
                    try await store.finish(job, .cancelled)
                }
                #expect(try await store.job(id).state == .cancelled)
            }
        }
    }

    // MARK: Down to children

    /// `root` waits for `a` and `b`; `b`, a workflow too, waits for `b1` (which runs) and `b2`.
    private func tree(in store: TestStore) async throws {
        try await store.submitTree("root", ["a", "b"])
        try await store.wait(try await store.run("b"), for: ["b1", "b2"])
        try await store.run("b1")
    }

    @Test
    func `a waiting parent is ended with all that does not run, and what runs is asked to end`() async throws {
        try await withTestStore { store in
            try await self.tree(in: store)
            let result = try await store.ledger { try $0.cancel("root", of: .default) }
            #expect(Set(result.tree?.ended.map(\.id) ?? []) == ["root", "a", "b", "b2"])
            #expect(result.tree?.requested == ["b1"])
            #expect(Set(try await store.states(of: ["root", "a", "b", "b2"])) == [.cancelled])
            #expect(try await store.job("b1").cancelRequested)
            try await store.finish(try await store.job("b1"), .cancelled)
            #expect(try await store.texts("SELECT COUNT(*) FROM jobs WHERE finished_at IS NULL") == ["0"])
        }
    }

    @Test
    func `a running parent is asked to end, and its children do not wait for that`() async throws {
        try await withTestStore { store in
            try await store.submitTree("root", ["a", "b"])
            try await store.finish(try await store.run("a"))
            try await store.finish(try await store.run("b"), .failed)
            let root = try await store.run("root")
            _ = try await store.ledger { try $0.redrive("b", of: .default) }
            let result = try await store.ledger { try $0.cancel("root", of: .default) }
            #expect(result.tree?.requested == ["root"])
            #expect(result.tree?.ended.map(\.id) == ["b"])
            try await store.finish(root, .cancelled)
        }
    }

    @Test
    func `a cancel never goes upwards: the parent goes on when its last child is cancelled`() async throws {
        try await withTestStore { store in
            try await self.tree(in: store)
            _ = try await store.ledger { try $0.cancel("b", of: .default) }
            #expect(
                try await store.states(of: ["root", "a", "b", "b1", "b2"])
                    == [.waiting, .dispatched, .cancelled, .running, .cancelled]
            )
            _ = try await store.ledger { try $0.cancel("a", of: .default) }
            #expect(try await store.states(of: ["root", "a"]) == [.queued, .cancelled])
            let root = try await store.run("root")
            #expect(try await store.ledger { try $0.children(of: root.id) }.map(\.state) == [.cancelled, .cancelled])
        }
    }

    @Test
    func `what conversations keep of the jobs of a tree is appended to each`() async throws {
        try await withTestStore { store in
            try await store.submitTree("root", ["a"])
            try await store.submit("j1", lane: "c")
            let child = NewJob.noop("in-c", lane: "c", parent: .init(id: "root", step: 0, index: 1))
            try await store.accept(child)
            let kept = Message(role: .assistant, content: "So far", timestamp: store.clock.now)
            _ = try await store.ledger { try $0.cancel("root", of: .default, keeping: ["in-c": [kept], "j1": [kept]]) }
            #expect(try await store.dialog("c") == ["assistant: So far"])
            #expect(try await store.jobs().contains("j1 queued head 0/0/0"))
        }
    }

    @Test
    func `the children alone are cancelled when their parent is to fail, each once`() async throws {
        try await withTestStore { store in
            try await self.tree(in: store)
            let tree = try await store.ledger { try $0.cancelChildren(of: "root") }
            #expect(Set(tree.ended.map(\.id)) == ["a", "b", "b2"])
            #expect(tree.requested == ["b1"])
            #expect(try await store.states(of: ["root"]) == [.queued])
            let again = try await store.ledger { try $0.cancelChildren(of: "root") }
            #expect(again.ended.isEmpty && again.requested.isEmpty)
        }
    }
}
