import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerReapTests {
    private func reap(_ store: TestStore, lostMax: Int = 3, limit: Int = 100) async throws -> [LostJob] {
        try await store.ledger { try $0.reap(lease: .seconds(20), lostMax: lostMax, limit: limit) }
    }

    @Test
    func `jobs of live workers are left alone up to the lease's last millisecond`() async throws {
        try await withTestStore { store in
            try await store.register("w1")
            try await store.submit("j1")
            try await store.run("j1")
            store.clock.advance(by: .seconds(20))
            #expect(try await self.reap(store) == [])
            _ = try await store.workers { try $0.beat("w1", WorkerFigures(running: 1), draining: false) }
            store.clock.advance(by: .seconds(20))
            #expect(try await self.reap(store) == [])
            store.clock.advance(by: .milliseconds(1))
            #expect(try await self.reap(store).map(\.id) == ["j1"])
        }
    }

    @Test
    func `a lost job goes back to its lane's head under a new epoch, and the loss is counted`() async throws {
        try await withTestStore { store in
            try await store.register("w1")
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            let job = try await store.run("j1")
            store.clock.advance(by: .seconds(21))
            let lost = try await self.reap(store)
            let one = try #require(lost.first)
            #expect(lost.count == 1)
            #expect(one.id == "j1" && one.attempt == 1 && one.state == .queued)
            #expect(one.epoch == store.clock.now.milliseconds && one.epoch > job.epoch)
            #expect(try await store.jobs() == ["j1 queued head 1/1/1", "j2 queued 0/0/0"])
            #expect(try await store.job("j1").workerID == nil)
            for call in ["finish", "release", "record"] {
                let error = await #expect(throws: StoreError.self) {
                    try await store.ledger { ledger in
                        switch call {
                        case "finish": try ledger.finish("j1", epoch: job.epoch, Ending(state: .completed))
                        case "release": try ledger.release("j1", epoch: job.epoch)
                        default:
                            let step = Step(
                                index: 0,
                                kind: .modelTurn,
                                state: .done,
                                result: nil,
                                usage: nil,
                                covers: .zero
                            )
                            try ledger.record(step, of: "j1", epoch: job.epoch)
                        }
                    }
                }
                #expect(error?.code == .fenced, "\(call)")
            }
            // The second attempt counts.
            let again = try await store.run("j1", by: "w2")
            #expect(again.attempt == 2 && again.claims == 2 && again.lost == 1 && again.epoch > one.epoch)
        }
    }

    @Test
    func `jobs of a worker without a row are taken at once`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            try await store.run("j1", by: "gone")
            #expect(try await self.reap(store).map(\.id) == ["j1"])
        }
    }

    @Test(arguments: JobState.allCases.filter { $0 != .running })
    func `only running jobs are taken`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            try await store.run("j1", by: "gone")
            try await store.execute("UPDATE jobs SET state = $1", [.text(state.rawValue)])
            #expect(try await self.reap(store) == [])
        }
    }

    @Test(arguments: [0, 1, 3])
    func `a job that was lost too often is dead and frees its lane`(lostMax: Int) async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            for loss in 1...(lostMax + 1) {
                try await store.run("j1", by: "gone")
                store.clock.advance(by: .seconds(1))
                let state: JobState = loss > lostMax ? .dead : .queued
                #expect(try await self.reap(store, lostMax: lostMax).map(\.state) == [state])
                let job = try await store.job("j1")
                #expect(job.lost == loss && job.state == state)
                #expect((job.finishedAt != nil) == (state == .dead))
                #expect(job.failure?.code == (state == .dead ? "lost" : nil))
            }
            #expect(try await store.jobs().last == "j2 queued head 0/0/0")
            #expect(try await store.ledger { try $0.dispatchReady() } == ["j2"])
            #expect(try await self.reap(store) == [])
        }
    }

    @Test
    func `as many as asked for are taken at once, the rest the next time`() async throws {
        try await withTestStore { store in
            for number in 0..<5 {
                let id = JobID(rawValue: "j\(number)")
                try await store.submit(id)
                try await store.run(id, by: "gone")
            }
            let counts = [
                try await self.reap(store, limit: 2).count, try await self.reap(store, limit: 2).count,
                try await self.reap(store, limit: 2).count, try await self.reap(store, limit: 2).count,
            ]
            #expect(counts == [2, 2, 1, 0])
        }
    }

    @Test
    func `two reapers at once count a loss once`() async throws {
        try await withTestStore { store in
            for number in 0..<20 {
                let id = JobID(rawValue: "j\(number)")
                try await store.submit(id)
                try await store.run(id, by: "gone")
            }
            async let first = self.reap(store)
            async let second = self.reap(store)
            let counts = [try await first.count, try await second.count]
            #expect(counts.reduce(0, +) == 20)
            #expect(try await store.texts("SELECT DISTINCT lost FROM jobs") == ["1"])
        }
    }

    @Test
    func `a job whose cancel was asked for and not obeyed is overdue after its grace`() async throws {
        try await withTestStore { store in
            for id in ["asked", "late", "never"] as [JobID] {
                try await store.submit(id)
                try await store.run(id)
            }
            _ = try await store.ledger { try $0.cancel("asked", of: .default) }
            store.clock.advance(by: .seconds(10))
            _ = try await store.ledger { try $0.cancel("late", of: .default) }
            store.clock.advance(by: .seconds(6))
            let overdue = try await store.ledger { try $0.overdueCancels(grace: .seconds(15), limit: 9) }
            #expect(overdue.map(\.id) == ["asked"])
            let first = try #require(overdue.first)
            _ = try await store.ledger { try $0.end(first, Ending(state: .cancelled)) }
            store.clock.advance(by: .seconds(10))
            #expect(
                try await store.ledger { try $0.overdueCancels(grace: .seconds(15), limit: 9) }.map(\.id) == ["late"]
            )
        }
    }

    @Test
    func `ended jobs are unannounced, oldest end first, until somebody notes the announcement`() async throws {
        try await withTestStore { store in
            for id in ["a", "b", "c", "open"] as [JobID] { try await store.submit(id) }
            for id in ["c", "a"] as [JobID] {
                try await store.finish(try await store.run(id))
                store.clock.advance(by: .seconds(1))
            }
            _ = try await store.ledger { try $0.cancel("b", of: .default) }
            store.clock.advance(by: .seconds(4))
            let unannounced = { (age: Duration) in
                try await store.ledger { try $0.unannounced(olderThan: age, limit: 9) }.map(\.id)
            }
            #expect(try await unannounced(.seconds(3)) == ["c", "a", "b"])
            #expect(try await unannounced(.seconds(4)) == ["c", "a"])
            try await store.ledger { try $0.announced(["c"]) }
            #expect(try await store.job("c").announced)
            #expect(try await unannounced(.seconds(3)) == ["a", "b"])
        }
    }

    @Test
    func `a dead job waits for its announcement too`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            try await store.run("j1", by: "gone")
            _ = try await self.reap(store, lostMax: 0)
            store.clock.advance(by: .seconds(1))
            #expect(try await store.ledger { try $0.unannounced(olderThan: .zero, limit: 9) }.map(\.id) == ["j1"])
        }
    }

    @Test
    func `a disowned job is taken by the next reaper, though its worker lives`() async throws {
        try await withTestStore { store in
            try await store.register("w1")
            try await store.submit("j1")
            let job = try await store.run("j1")
            let error = await #expect(throws: StoreError.self) {
                try await store.ledger { try $0.disown("j1", epoch: job.epoch - 1) }
            }
            #expect(error?.code == .fenced)
            #expect(try await self.reap(store) == [])
            try await store.ledger { try $0.disown("j1", epoch: job.epoch) }
            #expect(try await self.reap(store).map(\.id) == ["j1"])
            #expect(try await store.jobs() == ["j1 queued head 1/1/1"])
        }
    }

    @Test
    func `the doomed are those that the next reap makes dead, and what is kept of them is appended`() async throws {
        try await withTestStore { store in
            try await store.register("alive")
            for (id, worker, lost) in [
                ("doomed", "gone", 3), ("beyond", "gone", 9), ("lost", "gone", 2), ("fine", "alive", 3),
            ] as [(JobID, WorkerID, Int64)] {
                try await store.submit(id, lane: ConversationID(rawValue: id.rawValue))
                try await store.run(id, by: worker)
                try await store.execute(
                    "UPDATE jobs SET lost = $1 WHERE id = $2",
                    [.integer(lost), .text(id.rawValue)]
                )
            }
            let doomed = try await store.ledger { try $0.doomed(lease: .seconds(20), lostMax: 3, limit: 9) }
            #expect(Set(doomed.map(\.id)) == ["doomed", "beyond"])
            let partial = { (id: JobID) in
                Message(role: .assistant, content: "Part of \(id)", timestamp: Timestamp(milliseconds: 1))
            }
            let kept: [JobID: [Message]] = ["doomed": [partial("doomed")], "lost": [partial("lost")]]
            let lost = try await store.ledger {
                try $0.reap(lease: .seconds(20), lostMax: 3, limit: 9, keeping: kept)
            }
            #expect(Set(lost.filter { $0.state == .dead }.map(\.id)) == ["doomed", "beyond"])
            #expect(lost.filter { $0.state == .queued }.map(\.id) == ["lost"])
            #expect(try await store.dialog("doomed") == ["user: Question of doomed", "assistant: Part of doomed"])
            #expect(try await store.dialog("beyond") == ["user: Question of beyond"])
            // This one runs again, and says it itself.
            #expect(try await store.dialog("lost") == ["user: Question of lost"])
        }
    }

    @Test
    func `only ended jobs are noted as announced`() async throws {
        try await withTestStore { store in
            try await store.submit("open")
            try await store.submit("ended")
            try await store.finish(try await store.run("ended"))
            try await store.ledger { try $0.announced(["open", "ended", "none"]) }
            #expect(try await store.job("open").announced == false)
            #expect(try await store.job("ended").announced)
        }
    }

    @Test
    func `a cancelled job that is lost is not dead of it, and is found as a stray`() async throws {
        try await withTestStore { store in
            for id in ["lost", "given back", "put off", "running", "never asked"] as [JobID] {
                try await store.submit(id)
                let job = try await store.run(id, by: id == "lost" ? "gone" : "w1")
                if id != "never asked" { _ = try await store.ledger { try $0.cancel(id, of: .default) } }
                try await store.ledger { ledger in
                    switch id {
                    case "given back", "never asked": try ledger.release(id, epoch: job.epoch)
                    case "put off":
                        let failure = JobFailure(code: "odd", message: "Odd.", retryable: true)
                        try ledger.retry(id, epoch: job.epoch, at: ledger.now + .seconds(60), after: failure)
                    default: break
                    }
                }
            }
            try await store.register("w1")
            #expect(try await self.reap(store, lostMax: 0).map(\.state) == [.queued])
            let strays = try await store.ledger { try $0.strayCancels(limit: 9) }
            #expect(Set(strays.map(\.id)) == ["lost", "given back", "put off"])
            for stray in strays { _ = try await store.ledger { try $0.cancel(stray.id, of: .default) } }
            #expect(Set(try await store.states(of: strays.map(\.id))) == [.cancelled])
            #expect(try await store.ledger { try $0.strayCancels(limit: 9) } == [])
        }
    }
}
