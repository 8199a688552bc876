import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerScheduleTests {
    @Test func `a job that is put off keeps the count that it is given, or counts one more`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let job = try await store.run("j1")
            let now = store.clock.now
            try await store.ledger { try $0.retry("j1", epoch: job.epoch, at: now, after: Self.fault, failures: 4) }
            #expect(try await store.job("j1").failures == 4)
            _ = try await store.ledger { try $0.promote(limit: 1) }
            let again = try await store.run("j1")
            try await store.ledger { try $0.retry("j1", epoch: again.epoch, at: now, after: Self.fault) }
            #expect(try await store.job("j1").failures == 5)
        }
    }

    private static let fault = JobFailure(code: "provider_unavailable", message: "Away.", retryable: true)

    private func promote(_ store: TestStore, limit: Int = 100) async throws -> Int {
        try await store.ledger { try $0.promote(limit: limit) }
    }

    private func retry(_ job: Job, after delay: Duration, in store: TestStore) async throws {
        let time = store.clock.now + delay
        try await store.ledger { try $0.retry(job.id, epoch: job.epoch, at: time, after: Self.fault) }
    }

    // MARK: Delayed

    @Test
    func `a delayed job is queued when it is due, not before, and is then like any other`() async throws {
        try await withTestStore { store in
            #expect(try await store.submit("j1", after: .seconds(10), hasRoom: true) == .scheduled)
            #expect(try await store.job("j1").runAt == store.clock.now + .seconds(10))
            #expect(try await store.ledger { try $0.nextDue() } == store.clock.now + .seconds(10))
            store.clock.advance(by: .milliseconds(9999))
            #expect(try await self.promote(store) == 0)
            #expect(try await store.ledger { try $0.dispatchReady() } == [])
            store.clock.advance(by: .milliseconds(1))
            #expect(try await self.promote(store) == 1)
            #expect(try await self.promote(store) == 0)
            #expect(try await store.jobs() == ["j1 queued head 0/0/0"])
            #expect(try await store.job("j1").runAt == nil)
            #expect(try await store.ledger { try $0.nextDue() } == nil)
            try await store.finish(try await store.run("j1"))
        }
    }

    @Test(arguments: [Duration.zero, .seconds(-5)])
    func `a job that is due already does not wait`(delay: Duration) async throws {
        try await withTestStore { store async throws in
            #expect(try await store.submit("j1", after: delay, hasRoom: true) == .dispatched)
            #expect(try await store.job("j1").runAt == nil)
        }
    }

    @Test
    func `a delayed job holds no place in its lane until it is due, and then it is last`() async throws {
        try await withTestStore { store in
            try await store.submit("later", lane: "c", after: .seconds(10))
            #expect(try await store.submit("j1", lane: "c", hasRoom: true) == .dispatched)
            try await store.submit("j2", lane: "c")
            #expect(
                try await store.jobs() == ["later scheduled 0/0/0", "j1 dispatched head 0/0/0", "j2 queued 0/0/0"]
            )
            store.clock.advance(by: .seconds(10))
            #expect(try await self.promote(store) == 1)
            try await store.submit("j3", lane: "c")
            for id in ["j1", "j2", "later", "j3"] as [JobID] {
                #expect(
                    try await store.texts("SELECT id FROM jobs WHERE lane_head = 1 AND finished_at IS NULL")
                        == [id.rawValue]
                )
                try await store.finish(try await store.run(id))
            }
        }
    }

    @Test
    func `a lane goes on past a delayed job that is not due when the one before ends`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("later", lane: "c", after: .seconds(60))
            try await store.submit("j2", lane: "c")
            try await store.finish(try await store.run("j1"))
            #expect(
                try await store.jobs() == [
                    "j1 completed head 1/1/0", "later scheduled 0/0/0", "j2 queued head 0/0/0",
                ]
            )
            store.clock.advance(by: .seconds(60))
            #expect(try await self.promote(store) == 1)
            try await store.finish(try await store.run("j2"))
            try await store.finish(try await store.run("later"))
        }
    }

    @Test
    func `a lane with nothing but delayed jobs gives its head to the first that is due`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("later", lane: "c", after: .seconds(60))
            try await store.finish(try await store.run("j1"))
            #expect(try await store.jobs().last == "later scheduled 0/0/0")
            store.clock.advance(by: .seconds(60))
            #expect(try await self.promote(store) == 1)
            try await store.finish(try await store.run("later"))
        }
    }

    @Test
    func `jobs of a lane that are due at once are queued in the order in which they were due`() async throws {
        try await withTestStore { store in
            for (id, delay) in [("third", 30), ("first", 10), ("second", 20)] as [(JobID, Int)] {
                try await store.submit(id, lane: "c", after: .seconds(delay))
            }
            store.clock.advance(by: .seconds(60))
            #expect(try await self.promote(store, limit: 2) == 2)
            #expect(try await self.promote(store, limit: 2) == 1)
            let order = try await store.texts("SELECT id || lane_head FROM jobs ORDER BY lane_position")
            #expect(order == ["first1", "second0", "third0"])
        }
    }

    @Test
    func `a delayed job that is cancelled before it is due never runs, and its lane does not notice`() async throws {
        try await withTestStore { store in
            try await store.submit("later", lane: "c", after: .seconds(10))
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            let result = try await store.ledger { try $0.cancel("later", of: .default) }
            #expect(result.tree?.ended.map(\.id) == ["later"])
            #expect(
                try await store.jobs() == ["later cancelled 0/0/0", "j1 queued head 0/0/0", "j2 queued 0/0/0"]
            )
            #expect(try await store.job("later").runAt == nil)
            store.clock.advance(by: .seconds(10))
            #expect(try await self.promote(store) == 0)
            #expect(try await store.ledger { try $0.nextDue() } == nil)
        }
    }

    // MARK: Retry

    @Test
    func `a retried job keeps its lane's head while it waits, and its lane waits with it`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            let job = try await store.run("j1")
            try await self.retry(job, after: .seconds(5), in: store)
            #expect(try await store.jobs() == ["j1 scheduled head 1/1/0", "j2 queued 0/0/0"])
            #expect(try await store.submit("j3", lane: "c", hasRoom: true) == .queued)
            #expect(try await store.ledger { try $0.dispatchReady() } == [])
            let waiting = try await store.job("j1")
            #expect(waiting.failures == 1 && waiting.failure == Self.fault && waiting.workerID == nil)
            #expect(waiting.runAt == store.clock.now + .seconds(5))
            store.clock.advance(by: .seconds(5))
            #expect(try await self.promote(store) == 1)
            #expect(
                try await store.jobs() == ["j1 queued head 1/1/0", "j2 queued 0/0/0", "j3 queued 0/0/0"]
            )
            let again = try await store.run("j1")
            #expect(again.attempt == 2 && again.failures == 1 && again.epoch > job.epoch)
            try await store.finish(again)
            #expect(try await store.job("j1").failure == nil)
            #expect(try await store.job("j1").failures == 1)
            #expect(try await store.ledger { try $0.dispatchReady() } == ["j2"])
        }
    }

    @Test
    func `a retried and a delayed job of a lane that are due at once keep their places`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("later", lane: "c", after: .seconds(1))
            let job = try await store.run("j1")
            try await self.retry(job, after: .seconds(5), in: store)
            store.clock.advance(by: .seconds(5))
            #expect(try await self.promote(store) == 2)
            #expect(try await store.jobs() == ["j1 queued head 1/1/0", "later queued 0/0/0"])
        }
    }

    @Test(arguments: [-1, 1] as [Int64])
    func `a retry under another epoch changes nothing`(difference: Int64) async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let epoch = try await store.run("j1").epoch + difference
            let error = await #expect(throws: StoreError.self) {
                try await store.ledger { try $0.retry("j1", epoch: epoch, at: store.clock.now, after: Self.fault) }
            }
            #expect(error?.code == .fenced)
            #expect(try await store.jobs() == ["j1 running head 1/1/0"])
            #expect(try await store.job("j1").failures == 0)
        }
    }

    @Test
    func `a retried job that is cancelled while it waits frees its lane`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            let job = try await store.run("j1")
            try await self.retry(job, after: .seconds(5), in: store)
            _ = try await store.ledger { try $0.cancel("j1", of: .default) }
            #expect(try await store.jobs() == ["j1 cancelled head 1/1/0", "j2 queued head 0/0/0"])
            let ended = try await store.job("j1")
            #expect(ended.failure == nil && ended.runAt == nil)
            let error = await #expect(throws: StoreError.self) { try await store.finish(job) }
            #expect(error?.code == .fenced)
        }
    }

    // MARK: Pause

    @Test
    func `a pause takes back what is dispatched, and the entries on the streams come to nothing`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", hasRoom: true)
            try await store.submit("j2")
            try await store.run("j2")
            #expect(try await store.ledger { try $0.isPaused() } == false)
            try await store.ledger { try $0.setPaused(true) }
            try await store.ledger { try $0.setPaused(true) }
            #expect(try await store.ledger { try $0.isPaused() })
            #expect(try await store.jobs() == ["j1 queued head 0/0/0", "j2 running head 1/1/0"])
            #expect(try await store.ledger { try $0.claim(["j1"], by: "w1") } == [])
            #expect(try await store.submit("j3", hasRoom: true) == .queued)
            store.clock.advance(by: .seconds(60))
            #expect(try await store.ledger { try $0.redispatch(olderThan: .seconds(10), limit: 9) } == [])
        }
    }

    @Test
    func `what runs when the queue is paused ends as ever, and its lane waits for the resume`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            let job = try await store.run("j1")
            try await store.ledger { try $0.setPaused(true) }
            try await store.finish(job)
            #expect(try await store.jobs() == ["j1 completed head 1/1/0", "j2 queued head 0/0/0"])
            try await store.ledger { try $0.setPaused(false) }
            try await store.ledger { try $0.setPaused(false) }
            #expect(try await store.ledger { try $0.isPaused() } == false)
            #expect(try await store.submit("j3", hasRoom: true) == .dispatched)
            try await store.finish(try await store.run("j2"))
        }
    }
}
