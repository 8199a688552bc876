import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct WorkersTests {
    private func live(_ store: TestStore) async throws -> [WorkerStatus] {
        try await store.workers { try $0.live(within: .seconds(20)) }
    }

    @Test
    func `a registered worker is live until its lease is over`() async throws {
        try await withTestStore { store in
            try await store.workers { try $0.register("w1", host: "h", pid: 42, version: "1.2", slots: 8) }
            store.clock.advance(by: .seconds(20))
            let status = try #require(try await self.live(store).first)
            #expect(status.id == "w1" && status.host == "h" && status.pid == 42 && status.version == "1.2")
            #expect(status.slots == 8 && status.running == 0 && !status.draining)
            #expect(status.heartbeatAge == .seconds(20))
            store.clock.advance(by: .milliseconds(1))
            #expect(try await self.live(store) == [])
        }
    }

    @Test
    func `a beat renews the lease and tells what runs`() async throws {
        try await withTestStore { store in
            try await store.register("w1")
            store.clock.advance(by: .seconds(60))
            #expect(try await store.workers { try $0.beat("w1", running: 3, draining: true) } == [])
            let status = try #require(try await self.live(store).first)
            #expect(status.running == 3 && status.draining && status.heartbeatAge == .zero)
        }
    }

    @Test
    func `a beat answers the worker's running jobs that somebody wants cancelled, and no others`() async throws {
        try await withTestStore { store in
            try await store.register("w1")
            for (id, worker) in [("a", "w1"), ("b", "w1"), ("c", "w2"), ("d", "w1")] as [(JobID, WorkerID)] {
                try await store.submit(id)
                try await store.run(id, by: worker)
            }
            for id in ["a", "c", "d"] as [JobID] { _ = try await store.ledger { try $0.cancel(id, of: .default) } }
            try await store.finish(try await store.job("d"))
            let cancelled = try await store.workers { try $0.beat("w1", running: 3, draining: false) }
            #expect(cancelled == ["a"])
            // It is told again until the job ends.
            #expect(try await store.workers { try $0.beat("w1", running: 3, draining: false) } == ["a"])
        }
    }

    @Test
    func `a beat of a worker without a row says so and makes none`() async throws {
        try await withTestStore { store in
            let error = await #expect(throws: StoreError.self) {
                _ = try await store.workers { try $0.beat("w1", running: 0, draining: false) }
            }
            #expect(error?.code == .notFound)
            let live = try await self.live(store)
            #expect(live == [])
        }
    }

    @Test
    func `silent workers are removed, others stay, and a removed one may register again`() async throws {
        try await withTestStore { store in
            try await store.register("old")
            store.clock.advance(by: .seconds(100))
            try await store.register("young")
            try await store.workers { try $0.removeSilent(for: .seconds(100)) }
            #expect(try await store.texts("SELECT id FROM workers ORDER BY id") == ["old", "young"])
            store.clock.advance(by: .milliseconds(1))
            try await store.workers { try $0.removeSilent(for: .seconds(100)) }
            #expect(try await store.texts("SELECT id FROM workers") == ["young"])
            try await store.workers { try $0.remove("young") }
            #expect(try await self.live(store) == [])
            try await store.register("old")
            #expect(try await self.live(store).map(\.id) == ["old"])
        }
    }
}
