import Domain
import Engine
import LLM
import Queue
import Store
import Testing
import TestSupport
import Worker

/// Workflows through real workers.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct WorkflowTests {
    private static let refusal = ModelError(.badRequest, "no", status: 400)

    private static func results(_ id: JobID, on bench: WorkBench) async throws -> [WorkflowReply.ChildResult] {
        try JSON.decode(WorkflowReply.self, from: try await bench.job(id).result ?? "{}").results
    }

    private static func cancelled(_ result: CancelResult) -> CancelledTree? {
        guard case .cancelled(let tree) = result else { return nil }
        return tree
    }

    @Test func `with one slot a workflow of three ends, as it holds none while it waits`() async throws {
        try await withWorkBench { bench in
            // The last is answered first: the results are in the order of the messages all the same.
            let id = try await bench.submitWorkflow(["one", "two", "three"])
            try await bench.withWorker(slots: 1) { _ in
                let job = try await bench.job(id, is: .completed)
                #expect(job.stopReason == .finalAnswer)
                #expect(job.attempt == 1 && job.claims == 2 && job.lost == 0)
                let results = try await Self.results(id, on: bench)
                #expect(results.map(\.response) == ["Answer to one", "Answer to two", "Answer to three"])
                #expect(results.map(\.status) == [.completed, .completed, .completed])
                #expect(results.map(\.jobID) == (0..<3).map { .child(of: id, step: 0, index: $0) })
                #expect(bench.model.liveMax == 1)
                for text in ["one", "two", "three"] {
                    #expect(
                        try await bench.dialog(ConversationID(rawValue: "in \(text)"))
                            == ["user: \(text)", "assistant: Answer to \(text)"]
                    )
                }
                #expect(
                    try await bench.types(id)
                        == [.start, .attempt, .attempt, .child, .child, .child, .complete]
                )
            }
        }
    }

    @Test func `the results are in order though the answers are not`() async throws {
        try await withWorkBench { bench in
            bench.model.script("slow", [.gate("go"), .say("at last")])
            let id = try await bench.submitWorkflow(["slow", "fast"])
            try await bench.withWorker { _ in
                try await eventually(within: .seconds(30), "the second has answered") {
                    try await bench.children(of: id).map(\.state).last == .completed
                }
                #expect(try await bench.job(id).state == .waiting)
                bench.model.open("go")
                try await bench.job(id, is: .completed)
                #expect(try await Self.results(id, on: bench).map(\.response) == ["at last", "Answer to fast"])
            }
        }
    }

    @Test func `one that fails stops its siblings in the middle, and the workflow fails`() async throws {
        try await withWorkBench { bench in
            bench.model.script("hangs", [.say("begun"), .hang])
            bench.model.script("fails", [.gate("go"), .fail(Self.refusal)])
            let id = try await bench.submitWorkflow(["hangs", "fails"])
            try await bench.withWorker { _ in
                try await eventually(within: .seconds(30), "both run") { bench.model.live == 2 }
                bench.model.open("go")
                let job = try await bench.job(id, is: .failed)
                #expect(job.stopReason == .childFailed)
                let failure = try #require(job.failure)
                #expect(failure.code == "child_failed" && !failure.retryable)
                let children = try await bench.children(of: id)
                #expect(children.map(\.state) == [.cancelled, .failed])
                #expect(bench.model.live == 0)
                #expect(try await bench.dialog("in hangs") == ["user: hangs", "assistant: begun"])
                #expect(try await bench.types(id).last == .error)
            }
        }
    }

    @Test func `with the other policy the workflow completes, and says what became of each`() async throws {
        try await withWorkBench { bench in
            bench.model.script("fails", [.fail(Self.refusal)])
            let id = try await bench.submitWorkflow(["fails", "works"], continuesOnFailure: true)
            try await bench.withWorker { _ in
                try await bench.job(id, is: .completed)
                let results = try await Self.results(id, on: bench)
                #expect(results.map(\.status) == [.failed, .completed])
                #expect(results.map(\.response) == [nil, "Answer to works"])
                #expect(results.first?.error?.code == "provider_bad_request")
            }
        }
    }

    @Test func `a cancel of the waiting workflow ends it at once, and its children by their workers`() async throws {
        try await withWorkBench { bench in
            bench.model.script("runs", [.say("begun"), .hang])
            bench.model.script("waits", [.hang])
            let id = try await bench.submitWorkflow(["runs", "waits"])
            try await bench.withWorker(slots: 1) { worker in
                try await eventually(within: .seconds(30), "a child runs") { bench.model.live == 1 }
                try await bench.job(id, is: .waiting)
                let tree = try #require(Self.cancelled(try await worker.queue.cancel(id, of: .default)))
                let children = try await bench.children(of: id)
                #expect(tree.ended.first?.id == id)
                #expect(tree.requested == children.filter { $0.claims > 0 }.map(\.id))
                #expect(try await bench.job(id).state == .cancelled)
                for child in children { try await bench.job(child.id, is: .cancelled) }
                try await eventually(within: .seconds(30), "nothing is asked any more") { bench.model.live == 0 }
                #expect(bench.model.asked.count == 1)
                #expect(try await bench.types(id) == [.start, .attempt, .cancelled])
            }
        }
    }

    @Test func `a workflow whose worker dies finds the children that it has made`() async throws {
        try await withWorkBench { bench in
            let id = try await bench.submitWorkflow(["one", "two"])
            _ = try await bench.withWorker(slots: 1) { _ in try await bench.job(id, is: .completed) }
            #expect(bench.model.askedMessages.sorted() == ["one", "two"])
            // As after a crash between the wait and its commit's notice: the same attempt once more.
            _ = try await bench.database.write(.durable) { connection in
                try connection.execute(
                    """
                    UPDATE jobs SET state = 'queued', finished_at = NULL, result = NULL, announced = 0 WHERE id = $1
                    """,
                    [.text(id.rawValue)]
                )
            }
            try await bench.withWorker(slots: 1) { _ in
                try await bench.job(id, is: .completed)
                #expect(try await bench.children(of: id).count == 2)
                #expect(bench.model.asked.count == 2)
                #expect(
                    try await Self.results(id, on: bench).map(\.response) == ["Answer to one", "Answer to two"]
                )
            }
        }
    }

    @Test func `many workflows on two small workers all end`() async throws {
        try await withWorkBench { bench in
            var ids: [JobID] = []
            for index in 0..<10 {
                ids.append(try await bench.submitWorkflow((0..<4).map { "w\(index) m\($0)" }))
            }
            try await bench.withWorker(slots: 2) { _ in
                try await bench.withWorker(slots: 1) { _ in
                    for (index, id) in ids.enumerated() {
                        try await bench.job(id, is: .completed)
                        let responses = try await Self.results(id, on: bench).map(\.response)
                        #expect(responses == (0..<4).map { "Answer to w\(index) m\($0)" })
                    }
                }
            }
            #expect(bench.model.liveMax <= 3)
        }
    }
}
