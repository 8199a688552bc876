import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerDispatchTests {
    @Test
    func `jobs go out by priority, then by age, as many as asked for`() async throws {
        try await withTestStore { store in
            // The ids sort against the ages, so that only the age can give this order.
            for (id, priority) in [
                ("z-low", .low), ("y-default", .default), ("x-high", .high), ("c-low", .low), ("b-default", .default),
                ("a-high", .high),
            ] as [(JobID, JobPriority)] {
                try await store.submit(id, priority: priority)
                store.clock.advance(by: .milliseconds(1))
            }
            let order: [[JobID]] = [["x-high", "a-high", "y-default"], ["b-default", "z-low", "c-low"], []]
            for expected in order {
                #expect(try await store.ledger { try $0.dispatch(limit: 3) }.map(\.id) == expected)
            }
            #expect(try await store.jobs().allSatisfy { $0.contains(" dispatched head ") })
        }
    }

    @Test
    func `a dispatch tells the priority`() async throws {
        try await withTestStore { store in
            for priority in JobPriority.allCases {
                try await store.submit(JobID(rawValue: priority.name), priority: priority)
            }
            let dispatched = try await store.ledger { try $0.dispatch(limit: 9) }
            #expect(dispatched == JobPriority.allCases.map { Dispatch(id: JobID(rawValue: $0.name), priority: $0) })
        }
    }

    @Test(arguments: JobState.allCases)
    func `only queued heads of lanes go out`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("head", lane: "c")
            try await store.submit("next", lane: "c")
            try await store.execute("UPDATE jobs SET state = $1 WHERE id = 'head'", [.text(state.rawValue)])
            let dispatched = try await store.ledger { try $0.dispatch(limit: 9) }
            #expect(dispatched.map(\.id) == (state == .queued ? ["head"] : []))
        }
    }

    @Test
    func `two dispatchers at once never dispatch a job twice`() async throws {
        try await withTestStore { store in
            for number in 0..<60 { try await store.submit(JobID(rawValue: "j\(number)")) }
            let all = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for _ in 0..<20 {
                    group.addTask { try await store.ledger { try $0.dispatch(limit: 5) }.map(\.id) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(all.count == 60)
            #expect(Set(all).count == 60)
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
            _ = try await store.workers { try $0.beat("draining", running: 0, draining: true) }
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
