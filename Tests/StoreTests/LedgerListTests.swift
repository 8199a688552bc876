import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerListTests {
    /// Ten jobs of two tenants: `a1…a5` of `alice`, one in each state that is easily come by, and five of `bob`.
    private func withJobs(_ body: (TestStore) async throws -> Void) async throws {
        try await withTestStore { store in
            try await store.register("w1")
            for (index, state) in [JobState.completed, .failed, .dead].enumerated() {
                for tenant in ["alice", "bob"] as [TenantID] {
                    let id = JobID(rawValue: "\(tenant.rawValue.prefix(1))\(index + 1)")
                    try await store.submit(id, lane: ConversationID(rawValue: "c\(index)"), tenant: tenant)
                    try await store.finish(try await store.run(id), state)
                }
            }
            for tenant in ["alice", "bob"] as [TenantID] {
                let letter = tenant.rawValue.prefix(1)
                let running = JobID(rawValue: "\(letter)4")
                try await store.submit(running, lane: "c1", tenant: tenant)
                try await store.run(running)
                try await store.submit(JobID(rawValue: "\(letter)5"), lane: "c1", tenant: tenant, priority: .high)
            }
            try await body(store)
        }
    }

    private func ids(_ store: TestStore, _ filter: JobFilter, before: JobID? = nil, limit: Int = 10) async throws
        -> String
    {
        let page = try await store.ledger { try $0.list(filter, of: "alice", before: before, limit: limit) }
        return page.items.map(\.id.rawValue).joined(separator: " ") + " of \(page.total)"
    }

    @Test(arguments: [
        (JobFilter(), "a5 a4 a3 a2 a1 of 5"),
        (JobFilter(states: [.failed]), "a2 of 1"),
        (JobFilter(states: [.failed, .dead]), "a3 a2 of 2"),
        (JobFilter(states: [.failed, .running]), "a4 a2 of 2"),
        (JobFilter(states: [.completed, .dead]), "a3 a1 of 2"),
        (JobFilter(states: [.queued, .running]), "a5 a4 of 2"),
        (JobFilter(states: [.scheduled]), " of 0"),
        (JobFilter(states: Set(JobState.allCases)), "a5 a4 a3 a2 a1 of 5"),
        (JobFilter(conversationID: "c1"), "a5 a4 a2 of 3"),
        (JobFilter(states: [.failed], conversationID: "c1"), "a2 of 1"),
        (JobFilter(states: [.running], conversationID: "c1"), "a4 of 1"),
        (JobFilter(kind: .chat), "a5 a4 a3 a2 a1 of 5"),
        (JobFilter(kind: .workflow), " of 0"),
        (JobFilter(agentID: "nobody"), " of 0"),
        (JobFilter(parentID: "a1"), " of 0"),
    ])
    func `a list has the tenant's jobs that pass the filter, newest first`(_ filter: JobFilter, _ shown: String)
        async throws
    {
        try await self.withJobs { store in
            let listed = try await self.ids(store, filter)
            #expect(listed == shown)
        }
    }

    @Test func `pages follow each other without a gap, and each tells how many there are in all`() async throws {
        try await self.withJobs { store in
            for states: Set<JobState> in [[], [.queued, .running, .completed, .failed, .dead]] {
                let filter = JobFilter(states: states)
                var pages: [String] = []
                for last in [nil, "a4", "a2", "a1"] as [JobID?] {
                    pages.append(try await self.ids(store, filter, before: last, limit: 2))
                }
                #expect(pages == ["a5 a4 of 5", "a3 a2 of 5", "a1 of 5", " of 5"])
            }
        }
    }

    @Test func `a list leaves payloads and results out, and the rest is as in the job itself`() async throws {
        try await self.withJobs { store in
            var job = try await store.job("a2")
            #expect(job.payload.contains("Question of a2"))
            job.payload = ""
            job.result = nil
            let listed = try await store.ledger { try $0.list(JobFilter(conversationID: "c1"), of: "alice", limit: 9) }
            #expect(listed.items.last == job)
        }
    }

    @Test(arguments: [
        (JobFilter(), "a2 a3"), (JobFilter(states: [.dead]), "a3"), (JobFilter(states: [.running]), ""),
        (JobFilter(conversationID: "c1"), "a2"), (JobFilter(kind: .workflow), ""),
        (JobFilter(states: [.dead, .queued]), "a3"),
    ])
    func `what can be tried once more is failed or dead, oldest first`(_ filter: JobFilter, _ shown: String)
        async throws
    {
        try await self.withJobs { store in
            let page = try await store.ledger { try $0.retriable(filter, of: "alice", limit: 10) }
            #expect(page.items.map(\.rawValue).joined(separator: " ") == shown)
            #expect(page.total == page.items.count)
        }
    }

    @Test func `of more than the limit that can be tried once more the oldest come, and the number of all`()
        async throws
    {
        try await self.withJobs { store in
            let page = try await store.ledger { try $0.retriable(JobFilter(), of: "alice", limit: 1) }
            #expect(page.items == ["a2"])
            #expect(page.total == 2)
        }
    }

    @Test func `children are listed by their parent, and come in their order with their states`() async throws {
        try await withTestStore { store in
            try await store.submitTree("p", ["k2", "k1", "k3"])
            try await store.finish(try await store.run("k1"))
            let children = try await store.ledger { ledger in
                try ledger.childStates(of: "p", limit: 10).map { "\($0.id) \($0.state)" }
            }
            #expect(children.sorted() == ["k1 completed", "k2 dispatched", "k3 dispatched"])
            #expect(children.map { $0.prefix(2) } == ["k2", "k1", "k3"])
            #expect(try await store.ledger { try $0.childStates(of: "p", limit: 2).count } == 2)
            let ofParent = try await store.ledger { try $0.list(JobFilter(parentID: "p"), of: .default, limit: 10) }
            #expect(ofParent.items.map(\.id) == ["k3", "k2", "k1"])
            let ofOther = try await store.ledger { try $0.list(JobFilter(parentID: "p"), of: "bob", limit: 10) }
            #expect(ofOther.items.isEmpty && ofOther.total == 0)
        }
    }

    @Test func `only finished model turns count as done`() async throws {
        try await withTestStore { store in
            try await store.submit("j")
            let job = try await store.run("j")
            let states: [(Step.Kind, Step.State)] = [
                (.modelTurn, .done), (.toolCall, .done), (.modelTurn, .done), (.modelTurn, .intent),
            ]
            for (index, step) in states.enumerated() {
                let step = Step(index: index, kind: step.0, state: step.1, result: nil, usage: nil, covers: .zero)
                try await store.ledger { try $0.record(step, of: "j", epoch: job.epoch) }
            }
            #expect(try await store.ledger { try $0.turnsDone(of: "j") } == 2)
            #expect(try await store.ledger { try $0.turnsDone(of: "none") } == 0)
        }
    }
}
