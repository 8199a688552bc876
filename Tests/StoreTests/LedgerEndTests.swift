import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct LedgerEndTests {
    private static let failure = JobFailure(code: "odd", message: "Odd.", retryable: true)

    private static func answer(_ id: MessageID = "a1") -> Message {
        Message(id: id, role: .assistant, content: "Answer", timestamp: Timestamp(milliseconds: 9))
    }

    // MARK: finish

    @Test
    func `a finished job has its result, its message is appended and its lane goes on`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            try await store.submit("j3", lane: "c")
            let job = try await store.run("j1")
            store.clock.advance(by: .seconds(2))
            try await store.ledger { ledger in
                try ledger.finish(
                    "j1",
                    epoch: job.epoch,
                    Ending(
                        state: .completed,
                        result: #"{"x":1}"#,
                        stopReason: .finalAnswer,
                        messages: [Self.answer()]
                    )
                )
            }
            #expect(
                try await store.jobs() == ["j1 completed head 1/1/0", "j2 queued head 0/0/0", "j3 queued 0/0/0"]
            )
            let ended = try await store.job("j1")
            #expect(ended.result == #"{"x":1}"# && ended.stopReason == .finalAnswer && ended.failure == nil)
            #expect(ended.finishedAt == store.clock.now && !ended.announced)
            #expect(try await store.dialog("c") == ["user: Question of j1", "assistant: Answer"])
        }
    }

    @Test
    func `a failed job has its failure`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let job = try await store.run("j1")
            try await store.ledger {
                try $0.finish(
                    "j1",
                    epoch: job.epoch,
                    Ending(state: .failed, failure: Self.failure, stopReason: .providerError)
                )
            }
            let ended = try await store.job("j1")
            #expect(ended.state == .failed && ended.failure == Self.failure && ended.result == nil)
        }
    }

    @Test(arguments: [-1, 1] as [Int64])
    func `a finish under another epoch changes nothing`(difference: Int64) async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            let job = try await store.run("j1")
            let error = await #expect(throws: StoreError.self) {
                try await store.ledger {
                    try $0.finish(
                        "j1",
                        epoch: job.epoch + difference,
                        Ending(state: .completed, messages: [Self.answer()])
                    )
                }
            }
            #expect(error?.code == .fenced)
            #expect(try await store.jobs() == ["j1 running head 1/1/0", "j2 queued 0/0/0"])
            #expect(try await store.dialog("c") == ["user: Question of j1"])
        }
    }

    @Test(arguments: JobState.allCases.filter { $0 != .running })
    func `a job that does not run cannot be finished or released`(state: JobState) async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            let job = try await store.run("j1")
            try await store.execute("UPDATE jobs SET state = $1", [.text(state.rawValue)])
            let finish = await #expect(throws: StoreError.self) {
                try await store.ledger { try $0.finish("j1", epoch: job.epoch, Ending(state: .completed)) }
            }
            let release = await #expect(throws: StoreError.self) {
                try await store.ledger { try $0.release("j1", epoch: job.epoch) }
            }
            #expect(finish?.code == .fenced && release?.code == .fenced)
            #expect(try await store.jobs() == ["j1 \(state) head 1/1/0"])
        }
    }

    @Test
    func `a job is finished once, and a message whose id is there is not appended again`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            let job = try await store.run("j1")
            let ending = Ending(state: .completed, messages: [Self.answer(), Self.answer()])
            try await store.ledger { try $0.finish("j1", epoch: job.epoch, ending) }
            await #expect(throws: StoreError.self) {
                try await store.ledger { try $0.finish("j1", epoch: job.epoch, ending) }
            }
            let next = try await store.run("j2")
            try await store.ledger { try $0.finish("j2", epoch: next.epoch, ending) }
            #expect(
                try await store.dialog("c") == ["user: Question of j1", "assistant: Answer", "user: Question of j2"]
            )
        }
    }

    @Test
    func `an answer goes to the conversation of the job's tenant`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c", tenant: "t1")
            try await store.submit("j2", lane: "c", tenant: "t2")
            let job = try await store.run("j1")
            try await store.ledger {
                try $0.finish("j1", epoch: job.epoch, Ending(state: .completed, messages: [Self.answer()]))
            }
            #expect(try await store.dialog("c", of: "t1") == ["user: Question of j1", "assistant: Answer"])
            #expect(try await store.dialog("c", of: "t2") == [])
        }
    }

    // MARK: release

    @Test
    func `a released job keeps its lane's head and the attempt is not counted`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            let job = try await store.run("j1")
            try await store.ledger { try $0.release("j1", epoch: job.epoch) }
            #expect(try await store.jobs() == ["j1 queued head 0/1/0", "j2 queued 0/0/0"])
            #expect(try await store.job("j1").workerID == nil)
            #expect(try await store.ledger { try $0.dispatchReady() } == ["j1"])
            let again = try #require(try await store.ledger { try $0.claim(["j1"], by: "w2") }.first)
            #expect(again.attempt == 1 && again.claims == 2 && again.epoch > job.epoch)
        }
    }

    @Test
    func `a release under another epoch changes nothing`() async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let job = try await store.run("j1")
            let error = await #expect(throws: StoreError.self) {
                try await store.ledger { try $0.release("j1", epoch: job.epoch - 1) }
            }
            #expect(error?.code == .fenced)
            #expect(try await store.jobs() == ["j1 running head 1/1/0"])
        }
    }

    // MARK: end

    @Test
    func `a job that is ended from outside shuts its worker out and frees its lane`() async throws {
        try await withTestStore { store in
            try await store.submit("j1", lane: "c")
            try await store.submit("j2", lane: "c")
            let job = try await store.run("j1")
            let ending = Ending(state: .dead, failure: Self.failure, stopReason: .cancelled)
            let id = try await store.ledger { try $0.end(job, ending) }
            #expect(id == EventID(epoch: job.epoch + 1, sequence: 0))
            #expect(try await store.jobs() == ["j1 dead head 1/1/0", "j2 queued head 0/0/0"])
            let ended = try await store.job("j1")
            #expect(ended.failure == Self.failure && ended.epoch == id.epoch && !ended.announced)
            let error = await #expect(throws: StoreError.self) { try await store.finish(job) }
            #expect(error?.code == .fenced)
        }
    }

    @Test(arguments: ["state = 'queued'", "epoch = epoch + 1", "state = 'completed'"])
    func `a job that has moved on since it was read is not ended`(change: String) async throws {
        try await withTestStore { store in
            try await store.submit("j1")
            let job = try await store.run("j1")
            try await store.execute("UPDATE jobs SET \(change)")
            let before = try await store.job("j1")
            let error = await #expect(throws: StoreError.self) {
                _ = try await store.ledger { try $0.end(job, Ending(state: .cancelled)) }
            }
            #expect(error?.code == .fenced)
            #expect(try await store.job("j1") == before)
        }
    }
}
