import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerIdempotencyTests {
    private func submit(
        _ id: JobID,
        _ key: String,
        _ hash: String,
        of tenant: TenantID = .default,
        in store: TestStore
    ) async throws -> Submission {
        try await store.accept(.noop(id, tenant: tenant, idempotency: .init(key: key, bodyHash: hash)))
    }

    @Test
    func `the same key and body give the first job again, whatever has become of it`() async throws {
        try await withTestStore { store in
            #expect(try await self.submit("j1", "k", "h", in: store) == .accepted(.queued))
            #expect(try await self.submit("j2", "k", "h", in: store) == .replayed("j1"))
            try await store.finish(try await store.run("j1"), .failed)
            #expect(try await self.submit("j3", "k", "h", in: store) == .replayed("j1"))
            #expect(try await store.jobs() == ["j1 failed head 1/1/0"])
        }
    }

    @Test
    func `the same key with another body is refused and changes nothing`() async throws {
        try await withTestStore { store in
            _ = try await self.submit("j1", "k", "h", in: store)
            #expect(try await self.submit("j2", "k", "other", in: store) == .keyReused)
            #expect(try await store.jobs() == ["j1 queued head 0/0/0"])
            #expect(try await self.submit("j3", "k", "h", in: store) == .replayed("j1"))
        }
    }

    @Test
    func `keys are a tenant's own, and a request without one is never a replay`() async throws {
        try await withTestStore { store async throws in
            #expect(try await self.submit("j1", "k", "h", of: "t1", in: store) == .accepted(.queued))
            #expect(try await self.submit("j2", "k", "h", of: "t2", in: store) == .accepted(.queued))
            #expect(try await self.submit("j3", "l", "h", of: "t1", in: store) == .accepted(.queued))
            for id in ["j4", "j5"] as [JobID] {
                #expect(try await store.accept(.noop(id, tenant: "t1")) == .accepted(.queued))
            }
        }
    }

    @Test
    func `a key is remembered for a day, and then stands for a new request`() async throws {
        try await withTestStore { store in
            _ = try await self.submit("j1", "k", "h", in: store)
            store.clock.advance(by: Ledger.idempotencyKept - .milliseconds(1))
            #expect(try await self.submit("j2", "k", "h", in: store) == .replayed("j1"))
            store.clock.advance(by: .milliseconds(1))
            #expect(try await self.submit("j2", "k", "other", in: store) == .accepted(.queued))
            #expect(try await self.submit("j3", "k", "other", in: store) == .replayed("j2"))
            #expect(try await store.jobs().count == 2)
        }
    }

    @Test
    func `a delayed job is replayed too`() async throws {
        try await withTestStore { store async throws in
            let idempotency = NewJob.Idempotency(key: "k", bodyHash: "h")
            let job = NewJob.noop("j1", runAt: store.clock.now + .seconds(9), idempotency: idempotency)
            #expect(try await store.accept(job) == .accepted(.scheduled))
            #expect(try await self.submit("j2", "k", "h", in: store) == .replayed("j1"))
        }
    }

    @Test
    func `a request that did not fit its lane leaves its key free`() async throws {
        try await withTestStore { store in
            let idempotency = NewJob.Idempotency(key: "k", bodyHash: "h")
            try await store.accept(.noop("j1", lane: "c"))
            let refused = try await store.accept(.noop("j2", lane: "c", idempotency: idempotency), laneMax: 1)
            #expect(refused == .laneFull)
            try await store.finish(try await store.run("j1"))
            let accepted = try await store.accept(.noop("j2", lane: "c", idempotency: idempotency), laneMax: 1)
            #expect(accepted == .accepted(.queued))
        }
    }

    @Test
    func `one request that comes many times at once is one job`() async throws {
        try await withTestStore { store in
            let results = try await withThrowingTaskGroup(of: Submission.self) { group in
                for number in 0..<50 {
                    group.addTask { try await self.submit(JobID(rawValue: "j\(number)"), "k", "h", in: store) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.filter { $0 == .accepted(.queued) }.count == 1)
            #expect(try await store.jobs().count == 1)
        }
    }
}
