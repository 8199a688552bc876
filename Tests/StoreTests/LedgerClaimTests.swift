import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerClaimTests {
    @Test
    func `a claim takes the job, counts the attempt and seeds the epoch with the time`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", hasRoom: true)
            store.clock.advance(by: .seconds(3))
            let job = try #require(try await store.ledger { try $0.claim(["j1"], by: "w1") }.first)
            #expect(job.state == .running)
            #expect(job.epoch == store.clock.now.milliseconds)
            #expect(job.attempt == 1 && job.claims == 1)
            #expect(job.workerID == "w1")
            #expect(job.startedAt == store.clock.now)
            #expect(try await store.job("j1") == job)
            #expect(try await store.jobs() == ["j1 running head 1/1/0"])
        }
    }

    @Test(arguments: JobState.allCases)
    func `a job that is not dispatched any more gives no lease and is not touched`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            try await store.execute("UPDATE jobs SET state = $1, epoch = 5", [.text(state.rawValue)])
            let leases = try await store.ledger { try $0.claim(["j1", "none"], by: "w1") }
            #expect(leases.map(\.id) == (state == .dispatched ? ["j1"] : []))
            guard state != .dispatched else { return }
            #expect(try await store.jobs() == ["j1 \(state) head 0/0/0"])
            #expect(try await store.dialog("own-j1") == [])
        }
    }

    @Test
    func `an id that was read twice gives one lease, in a batch as over two workers`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", hasRoom: true)
            try await store.submit("j2", hasRoom: true)
            let first = try await store.ledger { try $0.claim(["j1", "j1"], by: "w1") }
            #expect(first.map(\.id) == ["j1"])
            let second = try await store.ledger { try $0.claim(["j2", "j1"], by: "w2") }
            #expect(second.map(\.id) == ["j2"])
            #expect(try await store.job("j1").workerID == "w1")
        }
    }

    @Test
    func `many workers that claim the same jobs at once share them out`() async throws {
        try await withTestStore { store in
            let ids = (0..<30).map { JobID(rawValue: "j\($0)") }
            for id in ids { try await store.submit(id, hasRoom: true) }
            let leases = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        try await store.ledger {
                            try $0.claim(ids, by: WorkerID(rawValue: "w\(worker)")).map(\.id)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(leases.sorted() == ids.sorted())
        }
    }

    @Test
    func `epochs grow strictly though the clock stands or steps back`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            var epochs: [Int64] = []
            for step in [Duration.zero, .zero, .seconds(-3600), .zero, .milliseconds(1), .seconds(7200)] {
                store.clock.advance(by: step)
                let job = try await store.run("j1")
                epochs.append(job.epoch)
                try await store.ledger { try $0.release("j1", epoch: job.epoch) }
            }
            #expect(zip(epochs, epochs.dropFirst()).allSatisfy { $0 < $1 }, "\(epochs)")
            #expect(epochs.last == store.clock.now.milliseconds)
        }
    }

    @Test
    func `the first claim appends the user's message, later ones do not append it again`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c", hasRoom: true)
            #expect(try await store.dialog("c") == [])
            let first = try await store.run("j1")
            #expect(try await store.dialog("c") == ["user: Question of j1"])
            try await store.ledger { try $0.release("j1", epoch: first.epoch) }
            try await store.run("j1")
            #expect(try await store.dialog("c") == ["user: Question of j1"])
            let message = try await store.conversations { try $0.messages(of: "c", of: .default, last: 1) }.first
            #expect(message?.id == "j1.user")
            #expect(message?.category == .dialog)
            #expect(message?.timestamp == store.clock.now)
        }
    }

    @Test
    func `context comes before the user's message as one of its own`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c", context: ["b": .integer(2), "a": .string("x")])
            try await store.submit("j2", lane: "d", context: [:])
            try await store.run("j1")
            try await store.run("j2")
            #expect(
                try await store.dialog("c") == [
                    #"system: Context for the next message: {"a":"x","b":2}"#, "user: Question of j1",
                ]
            )
            #expect(try await store.dialog("d") == ["user: Question of j2"])
            let context = try await store.conversations { try $0.messages(of: "c", of: .default, last: 9) }.first
            #expect(context?.category == .context)
        }
    }

    @Test
    func `messages of a lane are in order of execution, each answered before the next is asked`() async throws {
        try await withTestStore { store in
            for id in ["j1", "j2", "j3"] as [JobID] { try await store.submit(id, lane: "c", hasRoom: true) }
            for id in ["j1", "j2", "j3"] as [JobID] {
                let job = try await store.run(id)
                let answer = Message(
                    id: MessageID(rawValue: "\(id).answer"),
                    role: .assistant,
                    content: "Answer of \(id)",
                    timestamp: store.clock.now
                )
                try await store.ledger {
                    try $0.finish(id, epoch: job.epoch, Ending(state: .completed, messages: [answer]))
                }
            }
            #expect(
                try await store.dialog("c")
                    == (1...3).flatMap { ["user: Question of j\($0)", "assistant: Answer of j\($0)"] }
            )
        }
    }

    @Test
    func `a payload that cannot be decoded is claimed all the same and does not hold up the others`() async throws {
        try await withTestStore { store in
            for id in ["j1", "odd", "j2"] as [JobID] { try await store.submit(id, hasRoom: true) }
            try await store.execute("UPDATE jobs SET payload = '{' WHERE id = 'odd'")
            let jobs = try await store.ledger { try $0.claim(["j1", "odd", "j2"], by: "w1") }
            #expect(jobs.map(\.id) == ["j1", "odd", "j2"])
            #expect(try await store.dialog("own-j2") == ["user: Question of j2"])
            #expect(try await store.dialog("own-odd") == [])
        }
    }
}
