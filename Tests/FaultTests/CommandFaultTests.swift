import Domain
import TestSupport
import Testing

/// The program `penguin` where the server goes away, or lets not everybody do everything.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct CommandFaultTests {
    @Test func `who follows a job sees each event once though the server is killed in between`() async throws {
        try await withFleet { fleet in
            let web = try await fleet.startWeb()
            let reply = try await web.http().post(
                "/api/v1/chat/message",
                json: #"{"text":"hi [[tokens=40 delay=100ms]]"}"#,
                headers: ["prefer": "respond-async"]
            )
            let job = try #require(reply.json?["job_id"]?.string)
            let follower = try await fleet.startClient(["jobs", "follow", "--json", job], of: web)
            try await eventually(within: .seconds(30), "some of the answer is there") {
                follower.output.contains("tok3")
            }
            try await web.process.kill()
            _ = try await fleet.startWeb(variables: ["PORT": String(web.port)])
            #expect(try await follower.waitForExit(within: .seconds(60)) == 0)
            let run = ClientRun(code: 0, output: follower.output, errors: follower.errors)
            let ids = try run.json.compactMap { $0["id"]?.string.flatMap { EventID($0) } }
            #expect(ids.count == (try run.json.count))
            #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
            let end = try #require(try run.json.last)
            #expect(end["event"] == .string("complete"))
            #expect(end["data"]?["response"]?.string == tokens(40))
        }
    }

    @Test func `with keys a stranger gets nothing, and only an administrator pauses the queue`() async throws {
        let keys = [
            "PENGUIN_API_KEYS": "root=root-0123456789abcdef,bob=bob-0123456789abcdef", "PENGUIN_ADMIN_KEYS": "root",
        ]
        try await withFleet(variables: keys) { fleet in
            var web = try await fleet.startWeb()
            let stranger = try await fleet.client("jobs", "list", of: web)
            #expect(stranger.code == 1)
            #expect(stranger.errors.contains("An API key is needed"))
            web.key = "bob-0123456789abcdef"
            #expect(try await fleet.client("jobs", "list", of: web).output == "No jobs.\n")
            let refused = try await fleet.client("queue", "pause", of: web)
            #expect(refused.code == 1)
            #expect(refused.errors.contains("administrator"))
            #expect(try await fleet.client("queue", of: web).output.contains("WORKER") == false)
            web.key = "root-0123456789abcdef"
            #expect(try await fleet.client("queue", "pause", of: web).code == 0)
            #expect(try await fleet.client("queue", of: web).output.contains("WORKER"))
        }
    }

    @Test func `a worker that is drained ends by itself, and its server goes on`() async throws {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            let worker = try await fleet.startWorker(seenBy: web)
            let status = try await fleet.client("queue", "--json", of: web).json.first
            guard case .array(let workers)? = status?["workers"], let id = workers.first?["worker_id"]?.string else {
                Issue.record("no workers: \(String(describing: status))")
                return
            }
            #expect(try await fleet.client("queue", "drain", id, of: web).code == 0)
            #expect(try await worker.waitForExit(within: .seconds(60)) == 0)
            #expect(try await web.http().get("/livez").status == 200)
        }
    }
}
