import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerDispatchTests {
    @Test
    func `a tenant's jobs of a priority are ready by age, as many as asked for`() async throws {
        try await withTestStore { store in
            // The ids sort against the ages, so that only the age can give this order.
            for (id, tenant, priority) in [
                ("z", "t1", .default), ("y", "t1", .default), ("x", "t2", .default), ("w", "t1", .high),
                ("v", "t1", .default), ("u", "t1", .low),
            ] as [(JobID, TenantID, JobPriority)] {
                try await store.submit(id, tenant: tenant, priority: priority)
                store.clock.advance(by: .milliseconds(1))
            }
            try await store.ledger { ledger throws in
                #expect(try ledger.ready(of: "t1", .default, limit: 2) == ["z", "y"])
                #expect(try ledger.ready(of: "t1", .default, limit: 9) == ["z", "y", "v"])
                #expect(try ledger.ready(of: "t1", .high, limit: 9) == ["w"])
                #expect(try ledger.ready(of: "t1", .low, limit: 9) == ["u"])
                #expect(try ledger.ready(of: "t2", .low, limit: 9) == [])
                #expect(try ledger.ready(of: "t2", .default, limit: 0) == [])
            }
        }
    }

    @Test
    func `the tenants with something ready are found, each once, and no others`() async throws {
        try await withTestStore { store in
            #expect(try await store.ledger { try $0.readyTenants() } == [])
            for (id, lane, tenant) in [
                ("a", "c", "t2"), ("b", "c", "t2"), ("c", "d", "t2"), ("d", "c", "t1"), ("e", "c", "t3"),
            ] as [(JobID, ConversationID, TenantID)] {
                try await store.submit(id, lane: lane, tenant: tenant)
            }
            try await store.submit("f", tenant: "t4", after: .seconds(9))
            try await store.submit("g", tenant: "t5", hasRoom: true)
            #expect(try await store.ledger { try $0.readyTenants() } == ["t1", "t2", "t3"])
            try await store.ledger { ledger in
                try ledger.dispatch("d")
                try ledger.dispatch("a")
                #expect(try ledger.readyTenants() == ["t2", "t3"])
                try ledger.dispatch("c")
                #expect(try ledger.readyTenants() == ["t3"])
            }
        }
    }

    @Test(arguments: JobState.allCases)
    func `only queued heads of lanes are ready and go out`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("head", lane: "c")
            try await store.submit("next", lane: "c")
            try await store.execute("UPDATE jobs SET state = $1 WHERE id = 'head'", [.text(state.rawValue)])
            #expect(
                try await store.ledger { try $0.ready(of: .default, .default, limit: 9) }
                    == (state == .queued ? ["head"] : [])
            )
            // Nor when somebody believes that they are.
            try await store.ledger { ledger in
                for id in ["head", "next", "none"] as [JobID] { try ledger.dispatch(id) }
            }
            let after: JobState = state == .queued ? .dispatched : state
            #expect(try await store.jobs() == ["head \(after) head 0/0/0", "next queued 0/0/0"])
        }
    }

    @Test
    func `two dispatchers at once never dispatch a job twice`() async throws {
        try await withTestStore { store in
            for number in 0..<60 { try await store.submit(JobID(rawValue: "j\(number)")) }
            let all = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for _ in 0..<20 {
                    group.addTask { try await store.ledger { try $0.dispatchReady(limit: 5) } }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(all.count == 60)
            #expect(Set(all).count == 60)
        }
    }

    @Test
    func `what a tenant has dispatched and running is counted exactly`() async throws {
        try await withTestStore { store in
            for id in ["a", "b", "c", "d"] as [JobID] { try await store.submit(id, tenant: "t1") }
            try await store.submit("e", tenant: "t2", hasRoom: true)
            let active = { try await store.ledger { try $0.active(of: "t1") } }
            #expect(try await active() == 0)
            try await store.ledger { ledger in for id in ["a", "b", "c"] as [JobID] { try ledger.dispatch(id) } }
            #expect(try await active() == 3)
            let job = try await store.run("a")
            try await store.run("b")
            #expect(try await active() == 4)
            try await store.finish(job)
            try await store.ledger { try $0.undispatch(["c"]) }
            #expect(try await active() == 2)
        }
    }

    @Test
    func `a job that is given back unclaimed is queued again, and nothing else is`() async throws {
        try await withTestStore { store in
            try await store.submit("dispatched", hasRoom: true)
            try await store.submit("running")
            try await store.run("running")
            try await store.submit("queued")
            try await store.ledger { try $0.undispatch(["dispatched", "running", "queued", "none"]) }
            #expect(
                try await store.jobs() == [
                    "dispatched queued head 0/0/0", "running running head 1/1/0", "queued queued head 0/0/0",
                ]
            )
            try await store.run("dispatched")
        }
    }

    @Test
    func `virtual times and the virtual clock are kept to the last digit`() async throws {
        try await withTestStore { store in
            try await store.ledger { ledger in
                #expect(try ledger.virtualTimes(of: ["t1"]) == [:])
                #expect(try ledger.virtualClock() == 0)
                try ledger.setVirtualTimes(["t1": 1.0 / 3, "t2": 2])
                try ledger.setVirtualTimes(["t2": 1e12 + 0.125])
                try ledger.setVirtualClock(0.1)
                #expect(
                    try ledger.virtualTimes(of: ["t1", "t2", "t3"]) == ["t1": 1.0 / 3, "t2": 1e12 + 0.125]
                )
                #expect(try ledger.virtualClock() == 0.1)
            }
        }
    }

    @Test
    func `a job that nobody claimed is dispatched again after its time, and then only after another`() async throws {
        try await withTestStore { store in
            try await store.submit("old", hasRoom: true)
            store.clock.advance(by: .seconds(6))
            try await store.submit("young", hasRoom: true)
            try await store.submit("queued")
            store.clock.advance(by: .seconds(5))
            let again = try await store.ledger { try $0.redispatch(olderThan: .seconds(10), limit: 9) }
            #expect(again.map(\.id) == ["old"])
            #expect(try await store.ledger { try $0.redispatch(olderThan: .seconds(10), limit: 9) } == [])
            store.clock.advance(by: .seconds(11))
            let both = try await store.ledger { try $0.redispatch(olderThan: .seconds(10), limit: 9) }
            #expect(Set(both.map(\.id)) == ["old", "young"])
            // A claimed one is left alone.
            try await store.ledger { _ = try $0.claim(["old", "young"], by: "w1") }
            store.clock.advance(by: .seconds(60))
            #expect(try await store.ledger { try $0.redispatch(olderThan: .seconds(10), limit: 9) } == [])
        }
    }

    @Test
    func `the oldest are dispatched again first when there are more than asked for`() async throws {
        try await withTestStore { store in
            for id in ["c", "b", "a"] as [JobID] {
                try await store.submit(id, hasRoom: true)
                store.clock.advance(by: .seconds(1))
            }
            store.clock.advance(by: .seconds(60))
            for expected in [["c"], ["b"], ["a"], []] as [[JobID]] {
                let again = try await store.ledger { try $0.redispatch(olderThan: .seconds(10), limit: 1) }
                #expect(again.map(\.id) == expected)
            }
        }
    }

    @Test
    func `the load counts dispatched jobs and the slots of live workers that are not draining`() async throws {
        try await withTestStore { store in
            try await store.register("silent", slots: 100)
            store.clock.advance(by: .seconds(21))
            try await store.register("w1", slots: 4)
            try await store.register("w2", slots: 8)
            try await store.register("draining", slots: 50)
            _ = try await store.workers { try $0.beat("draining", WorkerFigures(running: 0), draining: true) }
            try await store.submit("a", hasRoom: true)
            try await store.submit("b", hasRoom: true)
            try await store.submit("c")
            #expect(
                try await store.ledger { try $0.load(heartbeatWithin: .seconds(20)) }
                    == QueueLoad(dispatched: 2, slots: 12)
            )
            try await store.ledger { _ = try $0.claim(["a"], by: "w1") }
            store.clock.advance(by: .seconds(21))
            #expect(
                try await store.ledger { try $0.load(heartbeatWithin: .seconds(20)) }
                    == QueueLoad(dispatched: 1, slots: 0)
            )
        }
    }
}
