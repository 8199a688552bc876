import Domain
import Events
import LLM
import Queue
import Store
import Testing
import TestSupport

@Suite(.serialized, .timeLimit(.minutes(3)))
struct ChatJobTests {
    @Test func `a chat ends with its answer in the ledger, the conversation and the log`() async throws {
        try await withWorkBench { bench in
            bench.model.script("hello", [.think("let me see"), .say("Hello "), .say("there")])
            let id = try await bench.submit("hello", in: "c")
            try await bench.withWorker { _ in
                let job = try await bench.job(id, is: .completed)
                #expect(job.stopReason == .finalAnswer)
                #expect(job.attempt == 1)
                let reply = try await bench.reply(id)
                #expect(reply.response == "Hello there")
                #expect(reply.status == .completed)
                #expect(reply.iterations == 1)
                #expect(reply.jobID == id)
                #expect(reply.model == "scripted")
                #expect(reply.reasoning == nil)
                let messages = try await bench.messages("c")
                #expect(messages.map(\.content) == ["hello", "Hello there"])
                #expect(messages[1].id == MessageID(rawValue: "\(id).answer"))
                #expect(messages[1].id == reply.messageID)
                // Kept in the conversation, though nobody asked to see it.
                #expect(messages[1].reasoning == "let me see")
                #expect(messages[1].metadata["partial"] == nil)
                #expect(try await bench.text(id) == "Hello there")
                #expect(try await bench.types(id).filter { $0 != .token } == [.start, .attempt, .progress, .complete])
                #expect(try await bench.frames(id).last?.data(as: ChatReply.self) == reply)
            }
        }
    }

    @Test func `reasoning is shown to those who ask for it`() async throws {
        try await withWorkBench { bench in
            bench.model.script("hello", [.think("let me see"), .say("Hello")])
            let id = try await bench.submit("hello", reasoning: true)
            try await bench.withWorker { _ in
                try await bench.job(id, is: .completed)
                #expect(try await bench.reply(id).reasoning == "let me see")
                #expect(try await bench.text(id, of: .reasoning) == "let me see")
            }
        }
    }

    @Test func `a provider's failure is an error, and no answer`() async throws {
        try await withWorkBench { bench in
            bench.model.script("hello", [.fail(ModelError(.authentication, "no such key", status: 401))])
            let id = try await bench.submit("hello", in: "c")
            try await bench.withWorker { _ in
                let job = try await bench.job(id, is: .failed)
                let failure = JobFailure(code: "provider_authentication", message: "no such key", retryable: false)
                #expect(job.failure == failure)
                #expect(job.stopReason == .providerError)
                #expect(try await bench.dialog("c") == ["user: hello"])
                let last = try #require(try await bench.frames(id).last)
                #expect(last.type == .error)
                #expect(try last.data(as: EventData.Failure.self) == EventData.Failure(jobID: id, failure: failure))
            }
        }
    }

    @Test func `a turn that breaks off is asked again, and its text is taken back`() async throws {
        try await withWorkBench { bench in
            bench.model.script(
                "hello",
                [.say("Half an ans"), .fail(ModelError(.cutOff, "cut off"))],
                [.say("A whole answer")]
            )
            let id = try await bench.submit("hello")
            try await bench.withWorker { _ in
                try await bench.job(id, is: .completed)
                #expect(try await bench.reply(id).response == "A whole answer")
                let frames = try await bench.frames(id)
                let progress = try #require(frames.first { $0.type == .progress })
                let truncate = try #require(frames.first { $0.type == .truncate })
                #expect(try truncate.data(as: EventData.Truncate.self).to == progress.id)
            }
        }
    }

    @Test func `an unknown model fails the job`() async throws {
        try await withWorkBench { bench in
            let id = try await bench.submit("hello", model: "nobody/knows")
            try await bench.withWorker { _ in
                let job = try await bench.job(id, is: .failed)
                #expect(job.failure?.code == "unknown_model")
            }
        }
    }

    @Test func `a cancel in the middle keeps the text so far, marked as a part`() async throws {
        try await withWorkBench { bench in
            bench.model.script("hello", [.say("The beginning"), .hang])
            let id = try await bench.submit("hello", in: "c")
            try await bench.withWorker { worker in
                try await eventually(within: .seconds(30), "the text is in the log") {
                    try await bench.text(id) == "The beginning"
                }
                guard case .cancelled(let tree) = try await worker.queue.cancel(id, of: .default) else {
                    Issue.record("it has not ended")
                    return
                }
                #expect(tree.requested == [id])
                let job = try await bench.job(id, is: .cancelled, within: .seconds(30))
                #expect(job.stopReason == .cancelled)
                #expect(try await bench.types(id).last == .cancelled)
                let messages = try await bench.messages("c")
                #expect(messages.map(\.content) == ["hello", "The beginning"])
                #expect(messages[1].metadata["partial"] == .bool(true))
                #expect(messages[1].metadata["stop_reason"] == .string("cancelled"))
                #expect(bench.model.live == 0)
            }
        }
    }

    @Test func `a job at its time limit ends with what it has`() async throws {
        try await withWorkBench { bench in
            bench.model.script("hello", [.say("As far as I came"), .hang])
            let id = try await bench.submit("hello", in: "c")
            try await bench.withWorker(timeLimit: .seconds(1.5)) { _ in
                try await bench.job(id, is: .completed)
                let reply = try await bench.reply(id)
                #expect(reply.status == .timeLimit)
                #expect(reply.stopReason == .timeLimit)
                #expect(reply.response == "As far as I came")
                #expect(try await bench.text(id) == reply.response)
                #expect(try await bench.messages("c").last?.metadata["partial"] == .bool(true))
            }
        }
    }

    @Test func `a job asks for a shorter time itself`() async throws {
        try await withWorkBench { bench in
            bench.model.script("hello", [.hang])
            let id = try await bench.submit("hello", timeLimitSeconds: 1)
            try await bench.withWorker { _ in
                try await bench.job(id, is: .completed)
                #expect(try await bench.reply(id).status == .timeLimit)
            }
        }
    }

    @Test func `a job whose conversation cannot be read is dead, and does not come back for ever`() async throws {
        try await withWorkBench { bench in
            let first = try await bench.submit("hello", in: "c")
            let id = try await bench.submit("again", in: "c")
            try await bench.withWorker { _ in
                try await bench.job(first, is: .completed)
                try await bench.job(id, is: .completed)
            }
            _ = try await bench.database.write(.durable) { connection in
                try connection.execute("UPDATE messages SET metadata = $1", [.text("{")])
            }
            let late = try await bench.submit("late", in: "c")
            try await bench.withWorker { _ in
                let job = try await bench.job(late, is: .dead)
                #expect(job.failure?.code == "undecodable")
            }
        }
    }

    @Test func `a payload that cannot be read is dead, with an error for its followers`() async throws {
        try await withWorkBench { bench in
            let queue = bench.queue()
            let good = try await bench.submit("hello", on: queue)
            let broken = try await bench.submit("hello", on: queue)
            _ = try await bench.database.write(.durable) { connection in
                // Ids and text are there, so it can be claimed, and `max_iterations` is no number.
                try connection.execute(
                    "UPDATE jobs SET payload = REPLACE(payload, $1, $2) WHERE id = $3",
                    [
                        .text(#""max_iterations":5"#), .text(#""max_iterations":"many""#), .text(broken.rawValue),
                    ]
                )
            }
            try await bench.withWorker { _ in
                let job = try await bench.job(broken, is: .dead)
                // It was read together with a good one, which it does not keep back.
                try await bench.job(good, is: .completed)
                #expect(job.failure?.code == "undecodable")
                guard case .ended(_, let terminal) = try await bench.job(broken).view() else {
                    Issue.record("it has ended")
                    return
                }
                #expect(terminal.type == .error)
            }
        }
    }
}
