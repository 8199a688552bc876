import Domain
import TestSupport
import Testing

/// The program `penguin`, as somebody at a terminal or a script uses it.
@Suite(.serialized, .timeLimit(.minutes(3)), .sharedServer())
struct CommandTests {
    private static func penguin(_ arguments: String...) async throws -> ClientRun {
        let running = try SharedServer.current
        let process = try await running.fleet.startClient(arguments, of: running.web)
        let code = try await process.waitForExit(within: .seconds(60))
        return ClientRun(code: code, output: process.output, errors: process.errors)
    }

    private static func submit(_ text: String, in conversation: String) async throws -> String {
        let reply = try await SharedServer.current.web.http().post(
            "/api/v1/chat/message",
            json: try JSON.text(["text": text, "conversation_id": conversation]),
            headers: ["prefer": "respond-async"]
        )
        guard let id = reply.json?["job_id"]?.string else {
            throw NotInTime(description: "not accepted: \(reply.status) \(reply.text)")
        }
        return id
    }

    private static func job(_ id: String, is state: String) async throws {
        let web = try SharedServer.current.web
        try await eventually(within: .seconds(30), "\(id) is \(state)") {
            try await web.job(JobID(rawValue: id))["state"]?.string == state
        }
    }

    @Test func `jobs are listed as a table for people, and as the server's JSON for programs`() async throws {
        let ids = try await [
            Self.submit("one [[say=1]]", in: "list"), Self.submit("two [[error=401]]", in: "list"),
        ]
        try await Self.job(ids[1], is: "failed")
        let table = try await Self.penguin("jobs", "list", "--conversation", "list")
        #expect(table.code == 0)
        let lines = table.output.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("JOB "))
        #expect(lines[1].hasPrefix(ids[1]) && lines[1].contains("failed"))
        #expect(lines[2].hasPrefix(ids[0]) && lines[2].contains("completed"))
        #expect(lines[3] == "2 of 2")
        // Every column begins where its heading does.
        let column = lines[0].count - "CONVERSATION".count
        for line in lines[1...2] { #expect(line.dropFirst(column) == "list") }
        #expect(!table.output.contains("\u{1B}"))
        let json = try await Self.penguin("jobs", "list", "--conversation", "list", "--state", "failed", "--json").json
        #expect(json.first?["total"] == .integer(1))
        let page = try await Self.penguin("jobs", "list", "--conversation", "list", "--limit", "1")
        #expect(page.output.contains("1 of 2; more with --cursor \(ids[1])"))
        let rest = try await Self.penguin("jobs", "list", "--conversation", "list", "--cursor", ids[1])
        #expect(rest.output.contains(ids[0]) && !rest.output.contains(ids[1]))
    }

    @Test func `a job is shown with its answer or its error`() async throws {
        let done = try await Self.submit("one [[say=forty two]]", in: "show")
        let failed = try await Self.submit("two [[error=401]]", in: "show")
        try await Self.job(failed, is: "failed")
        let shown = try await Self.penguin("jobs", "show", done)
        #expect(shown.code == 0)
        #expect(shown.output.contains("completed") && shown.output.hasSuffix("\nforty two\n"))
        #expect(try await Self.penguin("jobs", "show", failed).output.contains("provider_authentication"))
        let json = try await Self.penguin("jobs", "show", done, "--json").json
        #expect(json.first?["result"]?["response"] == .string("forty two"))
    }

    @Test func `a job is followed to its end, and the exit code says which`() async throws {
        let id = try await Self.submit("one [[tokens=4 delay=30ms]]", in: "follow")
        let shown = try await Self.penguin("jobs", "follow", id)
        #expect(shown.code == 0)
        #expect(shown.output.contains("[attempt 1, claimed]\n[iteration 1 of 5]\ntok0 tok1 tok2 tok3 \n"))
        let events = try await Self.penguin("jobs", "follow", id, "--json").json
        #expect(events.first?["event"] == .string("start"))
        #expect(events.last?["event"] == .string("complete"))
        let failed = try await Self.submit("two [[error=401]]", in: "follow")
        let end = try await Self.penguin("jobs", "follow", failed)
        #expect(end.code == 1)
        #expect(end.errors.hasPrefix("penguin: ") && !end.output.contains("penguin: "))
    }

    @Test func `jobs are cancelled, each that cannot be is told of, and the others are cancelled all the same`()
        async throws
    {
        let running = try await Self.submit("one [[hang=2]]", in: "cancel")
        let queued = try await Self.submit("two", in: "cancel")
        let run = try await Self.penguin("jobs", "cancel", queued, "job_none", running)
        #expect(run.code == 1)
        #expect(run.errors.contains("There is no job 'job_none'."))
        #expect(run.output.contains("\(queued) is cancelled"))
        try await Self.job(running, is: "cancelled")
        let end = try await Self.penguin("jobs", "follow", running)
        #expect(end.code == 1)
        #expect(end.errors.contains("cancelled"))
    }

    @Test func `failed jobs are retried by name or by filter`() async throws {
        let ids = try await [
            Self.submit("one [[error=401 times=1 id=r1]]", in: "retry"),
            Self.submit("two [[error=401 times=1 id=r2]]", in: "retry"),
        ]
        for id in ids { try await Self.job(id, is: "failed") }
        #expect(try await Self.penguin("jobs", "retry", ids[0]).code == 0)
        try await Self.job(ids[0], is: "completed")
        let again = try await Self.penguin("jobs", "retry", ids[0])
        #expect(again.code == 1)
        #expect(again.errors.contains("completed"))
        let all = try await Self.penguin("jobs", "retry", "--all", "--conversation", "retry")
        #expect(all.output == "1 job is queued again\n")
        try await Self.job(ids[1], is: "completed")
    }

    @Test func `the queue is shown, paused and resumed`() async throws {
        let shown = try await Self.penguin("queue")
        #expect(shown.code == 0)
        #expect(shown.output.contains("WORKER") && shown.output.contains("worker_"))
        #expect(try await Self.penguin("queue", "pause").output == "The queue is paused.\n")
        #expect(try await Self.penguin("queue", "--json").json.first?["paused"] == .bool(true))
        #expect(try await Self.penguin("queue").output.contains("paused"))
        #expect(try await Self.penguin("queue", "resume").output == "The queue is on.\n")
        #expect(try await Self.penguin("queue", "status", "--json").json.first?["paused"] == .bool(false))
        let drain = try await Self.penguin("queue", "drain", "worker_none")
        #expect(drain.code == 1)
        #expect(drain.errors.contains("There is no worker 'worker_none'."))
    }

    @Test func `a watched queue is shown again and again`() async throws {
        let running = try SharedServer.current
        let watch = try await running.fleet.startClient(["queue", "--watch", "--json"], of: running.web)
        try await eventually(within: .seconds(30), "it was shown three times") {
            watch.output.split(separator: "\n").count >= 3
        }
        watch.terminate()
        _ = try await watch.waitForExit()
    }

    @Test(arguments: [
        ["jobs", "show"], ["jobs", "retry"], ["jobs", "retry", "job_1", "--all"],
        ["jobs", "retry", "job_1", "--state", "dead"], ["jobs", "list", "--limit", "x"], ["queue", "--wat"],
        ["jobs", "nonsense"],
    ])
    func `what cannot be meant is 64, with how it is used`(_ arguments: [String]) async throws {
        let running = try SharedServer.current
        let process = try await running.fleet.startClient(arguments, of: running.web)
        #expect(try await process.waitForExit() == 64)
        #expect(process.errors.contains("Usage:"))
    }

    @Test func `what the server refuses is told in its words`() async throws {
        let run = try await Self.penguin("jobs", "list", "--state", "nonsense")
        #expect(run.code == 1)
        #expect(run.errors.hasPrefix("penguin: The parameter 'state' must be one of scheduled"))
        let away = try await Self.penguin("queue", "--url", "http://127.0.0.1:1")
        #expect(away.code == 1)
        #expect(away.errors.contains("cannot talk to http://127.0.0.1:1"))
    }
}
