import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerChildrenTests {
    /// A child of `root`, and where it is among its children.
    private func child(_ id: JobID, _ index: Int, step: Int = 0, lane: ConversationID? = nil) -> NewJob {
        .noop(id, lane: lane, parent: .init(id: "root", step: step, index: index))
    }

    // MARK: Waiting

    @Test
    func `a parent that waits has no slot and no attempt, and its children are there with it`() async throws {
        try await withTestStore { store in
            try await store.submitTree("root", ["a", "b"])
            #expect(
                try await store.jobs() == [
                    "root waiting head 0/1/0", "a queued head 0/0/0", "b queued head 0/0/0",
                ]
            )
            let root = try await store.job("root")
            #expect(root.workerID == nil)
            let children = try await store.ledger { try $0.children(of: "root") }
            #expect(children.map(\.parentID) == ["root", "root"])
            #expect(try await store.ledger { try $0.claim(["root"], by: "w1") } == [])
            // Nothing ran under the parent, so nothing is lost with its worker.
            #expect(try await store.ledger { try $0.reap(lease: .seconds(20), lostMax: 3, limit: 9) } == [])
        }
    }

    @Test
    func `the last child to end wakes the parent at its lane's head, an earlier one does not`() async throws {
        try await withTestStore { store in
            try await store.accept(.noop("root", lane: "c"))
            try await store.accept(.noop("next", lane: "c"))
            let root = try await store.run("root")
            try await store.wait(root, for: ["a", "b"])
            try await store.finish(try await store.run("b"))
            #expect(try await store.states(of: ["root", "next"]) == [.waiting, .queued])
            try await store.finish(try await store.run("a"))
            #expect(try await store.jobs().prefix(2) == ["root queued head 0/1/0", "next queued 0/0/0"])
            let again = try await store.run("root")
            #expect(again.attempt == 1 && again.claims == 2 && again.epoch > root.epoch)
            try await store.finish(again)
            #expect(try await store.states(of: ["next"]) == [.queued])
        }
    }

    @Test(arguments: ["finish", "fail", "cancel", "reap", "end"])
    func `in whatever way the last child ends, the parent is woken`(way: String) async throws {
        try await withTestStore { store in
            try await store.submitTree("root", ["a"])
            switch way {
            case "finish": try await store.finish(try await store.run("a"))
            case "fail": try await store.finish(try await store.run("a"), .failed)
            case "cancel": _ = try await store.ledger { try $0.cancel("a", of: .default) }
            case "reap":
                try await store.run("a", by: "gone")
                let lost = try await store.ledger { try $0.reap(lease: .seconds(20), lostMax: 0, limit: 9) }
                #expect(lost.map(\.state) == [.dead])
            default:
                let running = try await store.run("a")
                _ = try await store.ledger { try $0.end(running, Ending(state: .cancelled)) }
            }
            #expect(try await store.states(of: ["root"]) == [.queued])
            try await store.finish(try await store.run("root"))
        }
    }

    @Test(arguments: ["retry", "release", "reap"])
    func `a child that goes back to the queue wakes nobody`(way: String) async throws {
        try await withTestStore { store in
            try await store.submitTree("root", ["a"])
            let child = try await store.run("a", by: "gone")
            try await store.ledger { ledger in
                switch way {
                case "retry":
                    let failure = JobFailure(code: "odd", message: "Odd.", retryable: true)
                    try ledger.retry("a", epoch: child.epoch, at: store.clock.now + .seconds(1), after: failure)
                case "release": try ledger.release("a", epoch: child.epoch)
                default: _ = try ledger.reap(lease: .seconds(20), lostMax: 3, limit: 9)
                }
            }
            #expect(try await store.states(of: ["root"]) == [.waiting])
        }
    }

    @Test
    func `a delayed child is waited for`() async throws {
        try await withTestStore { store in
            try await store.accept(.noop("root"))
            let root = try await store.run("root")
            let later = NewJob.noop(
                "a",
                runAt: store.clock.now + .seconds(9),
                parent: .init(id: "root", step: 0, index: 0)
            )
            try await store.ledger { try $0.wait("root", epoch: root.epoch, for: [later], onFailure: .continue) }
            #expect(try await store.states(of: ["root", "a"]) == [.waiting, .scheduled])
            store.clock.advance(by: .seconds(9))
            _ = try await store.ledger { try $0.promote(limit: 9) }
            try await store.finish(try await store.run("a"))
            #expect(try await store.states(of: ["root"]) == [.queued])
        }
    }

    @Test
    func `a parent without children, or with only ended ones, goes on at once`() async throws {
        try await withTestStore { store in
            try await store.submitTree("root", [])
            #expect(try await store.states(of: ["root"]) == [.queued])
            try await store.wait(try await store.run("root"), for: ["a"])
            try await store.finish(try await store.run("a"))
            try await store.wait(try await store.run("root"), for: ["a"])
            #expect(try await store.jobs() == ["root queued head 0/3/0", "a completed head 1/1/0"])
        }
    }

    @Test
    func `a parent that runs again finds the children that it has, and adds the others`() async throws {
        try await withTestStore { store in
            try await store.submitTree("root", ["a", "b"])
            try await store.finish(try await store.run("a"))
            try await store.finish(try await store.run("b"), .failed)
            try await store.wait(try await store.run("root"), for: ["a", "b", "c"])
            #expect(try await store.states(of: ["root", "a", "b", "c"]) == [.waiting, .completed, .failed, .queued])
            #expect(try await store.jobs().count == 4)
        }
    }

    @Test(arguments: [-1, 1] as [Int64])
    func `a parent whose lease is gone submits nothing`(difference: Int64) async throws {
        try await withTestStore { store in
            try await store.accept(.noop("root"))
            let epoch = try await store.run("root").epoch + difference
            let error = await #expect(throws: StoreError.self) {
                try await store.ledger {
                    try $0.wait("root", epoch: epoch, for: [self.child("a", 0)], onFailure: .continue)
                }
            }
            #expect(error?.code == .fenced)
            #expect(try await store.jobs() == ["root running head 1/1/0"])
        }
    }

    @Test
    func `a child in the lane of one above it is refused, and nothing of the wait remains`() async throws {
        try await withTestStore { store in
            try await store.accept(.noop("root", lane: "c"))
            let root = try await store.run("root")
            for step in 0..<2 {
                let children = [self.child("a", 0, step: step), self.child("b", 1, step: step, lane: "c")]
                let error = await #expect(throws: StoreError.self) {
                    try await store.ledger {
                        try $0.wait("root", epoch: root.epoch, for: children, onFailure: .continue)
                    }
                }
                #expect(error?.code == .conflict)
                #expect(try await store.jobs() == ["root running head 1/1/0"])
            }
            // Two levels down it is the same.
            try await store.wait(root, for: ["a"])
            let middle = try await store.run("a")
            let grandchild = NewJob.noop("a1", lane: "c", parent: .init(id: "a", step: 0, index: 0))
            let error = await #expect(throws: StoreError.self) {
                try await store.ledger {
                    try $0.wait("a", epoch: middle.epoch, for: [grandchild], onFailure: .continue)
                }
            }
            #expect(error?.code == .conflict)
            #expect(try await store.states(of: ["root", "a"]) == [.waiting, .running])
        }
    }

    @Test
    func `children of one conversation are done one after the other in their order`() async throws {
        try await withTestStore { store in
            try await store.accept(.noop("root"))
            let root = try await store.run("root")
            try await store.submit("before", lane: "c")
            let children = ["a", "b", "c"].enumerated().map { index, id in
                self.child(JobID(rawValue: id), index, lane: "c")
            }
            try await store.ledger { try $0.wait("root", epoch: root.epoch, for: children, onFailure: .continue) }
            for id in ["before", "a", "b", "c"] as [JobID] {
                #expect(try await store.ledger { try $0.dispatchReady() } == [id])
                try await store.finish(try await store.run(id))
            }
            #expect(try await store.states(of: ["root"]) == [.queued])
        }
    }

    @Test
    func `children are told in the order in which their parent made them, whenever they end`() async throws {
        try await withTestStore { store in
            try await store.accept(.noop("root"))
            for (step, ids) in [["z", "m", "a"], ["y", "b"]].enumerated() {
                let root = try await store.run("root")
                let children = ids.enumerated().map { index, id in self.child(JobID(rawValue: id), index, step: step) }
                try await store.ledger { ledger in
                    try ledger.wait("root", epoch: root.epoch, for: children.reversed(), onFailure: .continue)
                }
                for id in ids.sorted() { try await store.finish(try await store.run(JobID(rawValue: id))) }
            }
            #expect(try await store.ledger { try $0.children(of: "root") }.map(\.id) == ["z", "m", "a", "y", "b"])
        }
    }

    // MARK: When a child fails

    @Test(arguments: [JobState.failed, .dead, .cancelled, .completed])
    func `parents that are to fail with a child are found while they wait`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submitTree("strict", ["a", "b"], onFailure: .failParent)
            try await store.submitTree("lenient", ["c", "d"], onFailure: .continue)
            let failed = { try await store.ledger { try $0.failedParents(limit: 9) } }
            #expect(try await failed() == [])
            for id in ["a", "c"] as [JobID] { try await store.finish(try await store.run(id), state) }
            #expect(try await failed() == (state == .completed ? [] : ["strict"]))
            let policies = try await store.ledger { ledger in
                try (["strict", "lenient", "a", "none"] as [JobID]).map { try ledger.mustFailParent(of: $0) }
            }
            #expect(policies == [true, false, false, false])
            // Once the others have ended it runs again, and fails of its own accord.
            try await store.finish(try await store.run("b"))
            #expect(try await failed() == [])
            #expect(try await store.states(of: ["strict"]) == [.queued])
            #expect(try await store.ledger { try $0.mustFailParent(of: "strict") } == false)
        }
    }

    @Test
    func `a parent that fails with a child is ended first, then what is open under it`() async throws {
        try await withTestStore { store in
            try await store.submitTree("root", ["a", "b", "c"], onFailure: .failParent)
            try await store.run("b")
            try await store.finish(try await store.run("a"), .failed)
            let tree = try await store.ledger { ledger in
                let root = try #require(try ledger.job("root"))
                _ = try ledger.end(root, Ending(state: .failed))
                return try ledger.cancelChildren(of: "root")
            }
            #expect(tree.ended.map(\.id) == ["c"])
            #expect(tree.requested == ["b"])
            try await store.finish(try await store.job("b"), .cancelled)
            #expect(try await store.states(of: ["root", "a", "b", "c"]) == [.failed, .failed, .cancelled, .cancelled])
        }
    }
}
