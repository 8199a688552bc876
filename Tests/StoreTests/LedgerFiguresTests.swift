import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerFiguresTests {
    private func position(_ store: TestStore, _ id: JobID, countingTo limit: Int = 100) async throws -> Int? {
        try await store.ledger { try $0.position(of: id, countingTo: limit) }
    }

    @Test func `open jobs are counted by state, waiting ones by priority, of one tenant or of all`() async throws {
        try await withTestStore { store in
            try await store.register("w1")
            try await store.submit("b1", tenant: "bob", priority: .low)
            store.clock.advance(by: .seconds(10))
            let oldest = store.clock.now
            for id in ["j1", "j2"] as [JobID] { try await store.submit(id, lane: "c") }
            store.clock.advance(by: .seconds(10))
            try await store.submit("j3", priority: .high)
            try await store.submit("j4", after: .seconds(60))
            let alone = try await store.ledger { try $0.openFigures(of: .default) }
            #expect(alone.states == [.queued: 3, .scheduled: 1])
            #expect(alone.waiting == [.high: 1, .default: 2])
            #expect(alone.oldestWaiting == oldest)
            let all = try await store.ledger { try $0.openFigures(of: nil) }
            #expect(all.states == [.queued: 4, .scheduled: 1])
            #expect(all.waiting == [.high: 1, .default: 2, .low: 1])
            #expect(all.oldestWaiting == oldest - .seconds(10))
            _ = try await store.run("j3")
            let running = try await store.ledger { try $0.openFigures(of: .default) }
            #expect(running.states == [.queued: 1, .dispatched: 1, .running: 1, .scheduled: 1])
            #expect(running.waiting == [.default: 2])
            let none = try await store.ledger { try $0.openFigures(of: "nobody") }
            #expect(none.states.isEmpty && none.waiting.isEmpty && none.oldestWaiting == nil)
        }
    }

    @Test func `ended jobs are counted by state and by how lately they ended, of one tenant or of all`() async throws {
        try await withTestStore { store in
            try await store.register("w1")
            for (id, tenant, state) in [
                ("j1", .default, .completed), ("j2", .default, .failed), ("b1", "bob", .completed),
            ] as [(JobID, TenantID, JobState)] {
                try await store.submit(id, tenant: tenant)
                try await store.finish(try await store.run(id), state)
                store.clock.advance(by: .seconds(30))
            }
            try await store.submit("open")
            #expect(try await store.ledger { try $0.endedCounts(of: nil) } == [.completed: 2, .failed: 1])
            #expect(try await store.ledger { try $0.endedCounts(of: .default) } == [.completed: 1, .failed: 1])
            for (seconds, ofAll, ofOne) in [(90, 3, 2), (89, 2, 1), (30, 1, 0), (29, 0, 0)] {
                let age = Duration.seconds(seconds)
                #expect(try await store.ledger { try $0.endedCount(within: age, of: nil) } == ofAll, "\(seconds)")
                #expect(try await store.ledger { try $0.endedCount(within: age, of: .default) } == ofOne, "\(seconds)")
            }
        }
    }

    @Test func `a queued job knows how many of its tenant's jobs are before it`() async throws {
        try await withTestStore { store in
            try await store.register("w1")
            try await store.submit("b1", tenant: "bob")
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            try await store.submit("j3", lane: "d")
            try await store.submit("j4", priority: .high)
            try await store.submit("j5", priority: .low)
            // j4 is more urgent; then j1, j3 and j5 by age and priority; j2 waits for j1.
            for (id, position) in [("j4", 0), ("j1", 1), ("j3", 2), ("j5", 3), ("j2", 2), ("b1", 0)] as [(JobID, Int)] {
                #expect(try await self.position(store, id) == position, "\(id)")
            }
            // The head of the lane runs: only the lane counts.
            _ = try await store.run("j1")
            #expect(try await self.position(store, "j2") == 1)
            #expect(try await self.position(store, "j1") == nil)
            #expect(try await self.position(store, "none") == nil)
        }
    }

    @Test func `positions are counted to a bound only`() async throws {
        try await withTestStore { store in
            for number in 1...6 { try await store.submit(JobID(rawValue: "j\(number)")) }
            for number in 1...6 { try await store.submit(JobID(rawValue: "k\(number)"), lane: "c") }
            #expect(try await self.position(store, "j6", countingTo: 5) == 5)
            #expect(try await self.position(store, "j6", countingTo: 3) == 3)
            #expect(try await self.position(store, "k6") == 11)
            #expect(try await self.position(store, "k6", countingTo: 4) == 4)
        }
    }

    @Test func `a delayed job has no position`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c", after: .seconds(5))
            try await store.submit("j2", lane: "c")
            #expect(try await self.position(store, "j1") == nil)
            #expect(try await self.position(store, "j2") == 0)
        }
    }
}
