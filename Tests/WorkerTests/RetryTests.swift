import Domain
import Engine
import LLM
import Queue
import Store
import Synchronization
import Testing
import TestSupport
import Worker

/// What becomes of jobs that cannot be run now.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct RetryTests {
    private static let overloaded = ModelError(.overloaded, "too many", status: 529)

    /// Throws what it is told, then ends the job.
    private final class FaultyHandler: JobHandler {
        private let faults: Mutex<[any Error]>
        let runs = Mutex(0)
        let isStreaming: Bool

        init(_ faults: [any Error], isStreaming: Bool = true) {
            self.faults = Mutex(faults)
            self.isStreaming = isStreaming
        }

        func run(_ lease: Lease, in context: RunContext) async throws -> JobOutcome {
            self.runs.withLock { $0 += 1 }
            if let fault = self.faults.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { throw fault }
            return .ended(Ending(state: .completed, result: "{}"))
        }
    }

    @Test func `a provider that wants a long wait costs no slot, and another attempt asks it again`() async throws {
        try await withWorkBench({
            // Every wait is too long for a slot.
            $0.retries = RetryPolicy(base: .milliseconds(300), holdMax: .zero, random: { $0.upperBound })
        }) { bench in
            bench.model.script("busy", [.fail(Self.overloaded)], [.say("At last")])
            let id = try await bench.submit("busy", in: "c")
            try await bench.withWorker(slots: 1) { worker in
                try await bench.job(id, is: .scheduled)
                let off = try await bench.job(id)
                #expect(off.failures == 1)
                #expect(off.failure?.code == "provider_overloaded")
                // The only slot is free meanwhile.
                let other = try await bench.submit("other", on: worker.queue)
                try await bench.job(other, is: .completed)
                let job = try await bench.job(id, is: .completed)
                #expect(job.attempt == 2 && job.claims == 2)
                #expect(job.failure == nil)
                #expect(try await bench.dialog("c") == ["user: busy", "assistant: At last"])
                #expect(try await bench.types(id).filter(\.isTerminal) == [.complete])
            }
        }
    }

    @Test func `what is tried as often as is allowed is dead, with what there was of it`() async throws {
        try await withWorkBench({
            $0.retries = RetryPolicy(attemptsMax: 3, base: .milliseconds(1), random: { $0.upperBound })
        }) { bench in
            bench.model.script("bad", [.fail(Self.overloaded)])
            let id = try await bench.submit("bad", in: "c")
            try await bench.withWorker { _ in
                let job = try await bench.job(id, is: .dead)
                #expect(bench.model.asked.count == 3)
                let failure = try #require(job.failure)
                #expect(failure.code == "provider_overloaded" && failure.retryable)
                #expect(job.stopReason == .providerError)
                #expect(try await bench.types(id).last == .error)
            }
        }
    }

    @Test func `a new attempt that fails without a word leaves the words of the one before`() async throws {
        try await withWorkBench { bench in
            bench.model.script(
                "hello",
                [.say("As far as"), .hang],
                [.fail(ModelError(.authentication, "no such key", status: 401))]
            )
            let id = try await bench.submit("hello", in: "c")
            try await bench.withWorker(grace: .milliseconds(10)) { worker in
                try await eventually(within: .seconds(30), "the text is in the log") {
                    try await bench.text(id) == "As far as"
                }
                try await worker.drain()
            }
            try await bench.withWorker { _ in
                let job = try await bench.job(id, is: .failed)
                #expect(job.failure?.code == "provider_authentication")
                let messages = try await bench.messages("c")
                #expect(messages.map(\.content) == ["hello", "As far as"])
                #expect(messages.last?.id == MessageID(rawValue: "\(id).answer"))
                #expect(messages.last?.metadata["partial"] == .bool(true))
            }
        }
    }

    @Test(arguments: [true, false])
    func `a part of ours that is out of reach puts the job off, and costs its lease nothing`(
        _ isStreaming: Bool
    ) async throws {
        try await withWorkBench({ $0.retries = RetryPolicy(base: .milliseconds(1)) }) { bench in
            let handler = FaultyHandler(
                [StoreError(.busy, "busy"), QueueError(.unavailable, "away")],
                isStreaming: isStreaming
            )
            let id = try await bench.submit("hello")
            try await bench.withWorker(handlers: [.chat: handler]) { _ in
                let job = try await bench.job(id, is: .completed)
                #expect(job.failures == 2 && job.lost == 0 && job.attempt == 3)
                #expect(handler.runs.withLock { $0 } == 3)
                #expect(try await bench.types(id).filter(\.isTerminal).count <= 1)
            }
        }
    }

    @Test func `a part of ours that stays out of reach makes the job dead in the end`() async throws {
        try await withWorkBench({ $0.retries = RetryPolicy(attemptsMax: 3, base: .milliseconds(1)) }) { bench in
            let handler = FaultyHandler(Array(repeating: StoreError(.unavailable, "gone"), count: 20))
            let id = try await bench.submit("hello")
            try await bench.withWorker(handlers: [.chat: handler]) { _ in
                let job = try await bench.job(id, is: .dead)
                #expect(job.failure?.code == "unavailable" && job.failure?.retryable == true)
                #expect(handler.runs.withLock { $0 } == 3)
            }
        }
    }

    @Test func `a failure of the work ends the job at once`() async throws {
        try await withWorkBench { bench in
            let failure = JobFailure(code: "no_such_thing", message: "There is none.", retryable: false)
            let handler = FaultyHandler([failure])
            let id = try await bench.submit("hello")
            try await bench.withWorker(handlers: [.chat: handler]) { _ in
                let job = try await bench.job(id, is: .failed)
                #expect(job.failure == failure)
                #expect(handler.runs.withLock { $0 } == 1)
            }
        }
    }

    @Test func `a kind that this worker cannot run is dead, and does not go round for ever`() async throws {
        try await withWorkBench { bench in
            let id = try await bench.submit("hello")
            try await bench.withWorker(handlers: [.noop: NoopHandler()]) { _ in
                let job = try await bench.job(id, is: .dead)
                #expect(job.failure?.code == "undecodable")
            }
        }
    }

    @Test func `a job that is put back after its death is answered, beside what it had said`() async throws {
        try await withWorkBench { bench in
            let cut = ModelError(.cutOff, "cut off")
            bench.model.script("hello", [.say("Half"), .fail(cut)], [.say("Half again"), .fail(cut)], [.say("All")])
            let id = try await bench.submit("hello", in: "c")
            try await bench.withWorker { worker in
                try await bench.job(id, is: .dead)
                #expect(try await bench.dialog("c") == ["user: hello", "assistant: Half again"])
                #expect(try await worker.queue.redrive(id, of: .default))
                let job = try await bench.job(id, is: .completed)
                #expect(job.redrives == 1 && job.attempt == 1 && job.failures == 0)
                #expect(
                    try await bench.dialog("c") == ["user: hello", "assistant: Half again", "assistant: All"]
                )
                let types = try await bench.types(id)
                #expect(types.first == .start && types.last == .complete)
                #expect(types.filter(\.isTerminal).count == 1)
                #expect(try await bench.text(id) == "All")
                #expect(try await bench.reply(id).messageID == MessageID(rawValue: "\(id).answer.1"))
            }
        }
    }
}
