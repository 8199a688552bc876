import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerStepsTests {
    private static let call = ToolCall(id: "call_1", name: "ls", arguments: #"{"p": "/"} "#)

    private static func turn(_ index: Int, _ result: String = "{}") -> Step {
        Step(
            index: index,
            kind: .modelTurn,
            state: .done,
            result: result,
            usage: TokenUsage(promptTokens: 3, completionTokens: 4, cost: 0.25),
            covers: EventID(epoch: 7, sequence: 8)
        )
    }

    private static func toolCall(_ index: Int, _ state: Step.State, _ result: String?) -> Step {
        Step(index: index, kind: .toolCall, state: state, call: self.call, result: result, usage: nil, covers: .zero)
    }

    @Test
    func `steps come back in order as they were written`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let job = try await store.run("j1")
            let steps = [Self.turn(0), Self.toolCall(1, .intent, nil), Self.turn(10), Self.turn(2)]
            for step in steps { try await store.ledger { try $0.record(step, of: "j1", epoch: job.epoch) } }
            #expect(try await store.ledger { try $0.steps(of: "j1") } == [steps[0], steps[1], steps[3], steps[2]])
            #expect(try await store.ledger { try $0.steps(of: "j2") } == [])
        }
    }

    @Test(arguments: [Step.State.done, .failed, .unknown])
    func `the outcome of a call replaces its intent`(state: Step.State) async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let job = try await store.run("j1")
            try await store.ledger { ledger in
                try ledger.record(Self.toolCall(0, .intent, nil), of: "j1", epoch: job.epoch)
                try ledger.record(Self.toolCall(0, state, "result"), of: "j1", epoch: job.epoch)
                #expect(try ledger.steps(of: "j1") == [Self.toolCall(0, state, "result")])
            }
        }
    }

    @Test(arguments: [-1, 1] as [Int64])
    func `a step under another epoch is refused and not written`(difference: Int64) async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let job = try await store.run("j1")
            let error = await #expect(throws: StoreError.self) {
                try await store.ledger { try $0.record(Self.turn(0), of: "j1", epoch: job.epoch + difference) }
            }
            #expect(error?.code == .fenced)
            #expect(try await store.ledger { try $0.steps(of: "j1") } == [])
        }
    }

    @Test(arguments: JobState.allCases.filter { $0 != .running })
    func `a step of a job that does not run is refused`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let job = try await store.run("j1")
            try await store.execute("UPDATE jobs SET state = $1", [.text(state.rawValue)])
            let error = await #expect(throws: StoreError.self) {
                try await store.ledger { try $0.record(Self.turn(0), of: "j1", epoch: job.epoch) }
            }
            #expect(error?.code == .fenced)
        }
    }

    @Test
    func `a worker that was taken over cannot overwrite what its successor wrote`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let first = try await store.run("j1", by: "w1")
            try await store.ledger { try $0.record(Self.turn(0, "first"), of: "j1", epoch: first.epoch) }
            _ = try await store.ledger { try $0.reap(lease: .seconds(20), lostMax: 3, limit: 9) }
            let second = try await store.run("j1", by: "w2")
            try await store.ledger { try $0.record(Self.turn(1, "second"), of: "j1", epoch: second.epoch) }
            let error = await #expect(throws: StoreError.self) {
                try await store.ledger { try $0.record(Self.turn(1, "late"), of: "j1", epoch: first.epoch) }
            }
            #expect(error?.code == .fenced)
            #expect(try await store.ledger { try $0.steps(of: "j1") }.map(\.result) == ["first", "second"])
        }
    }
}
