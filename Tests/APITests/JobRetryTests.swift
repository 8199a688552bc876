import Domain
import Testing
import TestSupport

@Suite(.serialized, .timeLimit(.minutes(3)))
struct JobRetryTests {
    private static func failed(_ server: TestServer, _ conversation: String) async throws -> String {
        let text = "hi [[error=401 times=1 id=\(UUIDv7Generator.shared.next())]]"
        let id = try await server.submit(text, ["conversation_id": .string(conversation)])
        try await server.job(id, is: "failed")
        return id
    }

    @Test func `a failed job is done once more, with counters that begin anew`() async throws {
        try await withServer { server in
            let id = try await Self.failed(server, "c")
            let answer = try await server.http.send("POST", "/api/v1/jobs/\(id)/retry")
            #expect(answer.status == 202)
            #expect(answer["location"] == "/api/v1/jobs/\(id)")
            #expect(try answer.json["job_id"]?.string == id)
            let job = try await server.job(id, is: "completed")
            #expect(job["attempt"] == .integer(1))
            #expect(job["redrives"] == .integer(1))
            #expect(job["error"] == nil)
            #expect(job["result"]?["job_id"]?.string == id)
            let again = try await server.http.send("POST", "/api/v1/jobs/\(id)/retry")
            #expect(again.status == 409)
            #expect(again.code == "conflict")
            #expect(again.body.contains("completed") && again.body.contains("failed or dead"))
        }
    }

    @Test func `jobs in other states are not retried, and the answer names the state`() async throws {
        try await withServer { server in
            let running = try await server.submit("hi [[hang]]", ["conversation_id": "c"])
            let queued = try await server.submit("hi", ["conversation_id": "c"])
            try await server.job(running, is: "running")
            for (id, state) in [(running, "running"), (queued, "queued")] {
                let answer = try await server.http.send("POST", "/api/v1/jobs/\(id)/retry")
                #expect(answer.status == 409)
                #expect(answer.body.contains(state))
            }
            _ = try await server.http.send("POST", "/api/v1/jobs/\(running)/cancel")
            try await server.job(running, is: "cancelled")
            #expect(try await server.http.send("POST", "/api/v1/jobs/\(running)/retry").status == 409)
        }
    }

    @Test func `many are retried by a filter, oldest first and no more than the limit`() async throws {
        try await withServer { server in
            var failed: [String] = []
            for conversation in ["a", "b", "a"] { failed.append(try await Self.failed(server, conversation)) }
            let none = try await server.http.post("/api/v1/jobs/retry", ["state": "dead"])
            #expect(none.status == 200)
            #expect(try none.json["retried"] == .integer(0))
            let first = try await server.http.post("/api/v1/jobs/retry", ["limit": .integer(1)]).json
            #expect(first["jobs"] == .array([.string(failed[0])]))
            #expect(first["retried"] == .integer(1))
            #expect(first["remaining"] == .integer(2))
            let second = try await server.http.post("/api/v1/jobs/retry", ["conversation_id": "a", "state": "failed"])
                .json
            #expect(second["jobs"] == .array([.string(failed[2])]))
            for path in ["/api/v1/jobs/retry", "/api/v1/jobs//retry"] {
                #expect(try await server.http.send("POST", path).status == 400, "\(path)")
            }
            let third = try await server.http.post("/api/v1/jobs/retry", [:]).json
            #expect(third["jobs"] == .array([.string(failed[1])]))
            #expect(third["remaining"] == .integer(0))
            for id in failed { try await server.job(id, is: "completed") }
        }
    }

    @Test(arguments: [
        (#"{"state":"running"}"#, "state", "failed, dead"), (#"{"state":7}"#, "state", "a string"),
        (#"{"kind":"x"}"#, "kind", "chat, workflow"), (#"{"limit":0}"#, "limit", "from 1 to 1000"),
        (#"{"limit":1001}"#, "limit", "from 1 to 1000"), (#"{"limit":"1"}"#, "limit", "a whole number"),
    ])
    func `a filter that cannot be is refused, and nothing is retried`(
        _ body: String,
        _ field: String,
        _ allowed: String
    ) async throws {
        try await withServer { server in
            let id = try await Self.failed(server, "c")
            let answer = try await server.http.send("POST", "/api/v1/jobs/retry", body: body)
            #expect(answer.status == 422)
            guard case .array(let details)? = try answer.json["detail"] else {
                Issue.record("\(answer.body)")
                return
            }
            #expect(details.map { $0["loc"] } == [.array(["body", .string(field)])])
            #expect(details[0]["msg"]?.string?.contains(allowed) == true)
            try await server.job(id, is: "failed")
        }
    }

    @Test func `an ended job can be removed, an open one not`() async throws {
        try await withServer { server in
            let running = try await server.submit("hi [[hang]]", ["conversation_id": "c"])
            let done = try await server.chat("hi [[say=ok]]", ["conversation_id": "d"])["job_id"]?.string ?? ""
            try await server.job(running, is: "running")
            let refused = try await server.http.send("DELETE", "/api/v1/jobs/\(running)")
            #expect(refused.status == 409)
            #expect(refused.body.contains("running"))
            let removed = try await server.http.send("DELETE", "/api/v1/jobs/\(done)")
            #expect(removed.status == 200)
            #expect(try removed.json == .object(["removed": .bool(true)]))
            for (method, path) in [
                ("GET", ""), ("GET", "/events"), ("DELETE", ""), ("POST", "/retry"), ("POST", "/cancel"),
            ] {
                let answer = try await server.http.send(method, "/api/v1/jobs/\(done)\(path)")
                #expect(answer.status == 404, "\(method) \(path)")
                #expect(answer.code == "not_found")
                #expect(try answer.json["detail"]?.string == "There is no job '\(done)'.")
            }
            #expect(try await server.http.get("/api/v1/jobs").json["total"] == .integer(1))
            // What was said stays.
            #expect(try await server.http.get("/api/v1/conversations/d/history").body.contains("ok"))
        }
    }
}
