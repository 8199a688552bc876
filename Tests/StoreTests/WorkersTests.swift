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
            #expect(
                try await store.workers { try $0.beat("w1", WorkerFigures(running: 3), draining: true) }
                    == WorkerOrders(cancel: [], drain: false)
            )
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
            let cancelled = try await store.workers { try $0.beat("w1", WorkerFigures(running: 3), draining: false) }
                .cancel
            #expect(cancelled == ["a"])
            // It is told again until the job ends.
            #expect(
                try await store.workers { try $0.beat("w1", WorkerFigures(running: 3), draining: false) }.cancel == [
                    "a"
                ]
            )
        }
    }

    @Test
    func `a beat of a worker without a row says so and makes none`() async throws {
        try await withTestStore { store in
            let error = await #expect(throws: StoreError.self) {
                _ = try await store.workers { try $0.beat("w1", WorkerFigures(running: 0), draining: false) }
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

    @Test
    func `a worker that is asked to drain is told so with each beat, and counts as leaving at once`() async throws {
        try await withTestStore { store in
            for id in ["w1", "w2"] as [WorkerID] { try await store.register(id) }
            #expect(try await store.workers { try $0.requestDrain("w1") })
            #expect(try await store.workers { try $0.requestDrain("none") } == false)
            #expect(try await self.live(store).map(\.draining) == [true, false])
            for _ in 0..<2 {
                let orders = try await store.workers { try $0.beat("w1", WorkerFigures(running: 1), draining: false) }
                #expect(orders == WorkerOrders(cancel: [], drain: true))
            }
            let others = try await store.workers { try $0.beat("w2", WorkerFigures(running: 1), draining: false) }
            #expect(others == WorkerOrders(cancel: [], drain: false))
            #expect(try await self.live(store).map(\.draining) == [true, false])
        }
    }

    @Test
    func `a beat tells what the worker has done so far`() async throws {
        try await withTestStore { store in
            try await store.register("w1")
            let fresh = try #require(try await self.live(store).first)
            #expect(fresh.finished == 0 && fresh.runTime == .zero)
            let figures = WorkerFigures(running: 2, finished: 7, runTime: .milliseconds(12_345))
            _ = try await store.workers { try $0.beat("w1", figures, draining: false) }
            let status = try #require(try await self.live(store).first)
            #expect(status.running == 2 && status.finished == 7 && status.runTime == .milliseconds(12_345))
        }
    }
}
