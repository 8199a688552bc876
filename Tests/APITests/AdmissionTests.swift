import Domain
import Testing
import TestSupport

/// What is asked of a message's submission besides its text: when, how urgent, and whether there is room.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct AdmissionTests {
    private static let path = "/api/v1/chat/message"

    @Test func `a delayed message is answered at once and done when it is due`() async throws {
        try await withServer { server in
            let body: [String: JSONValue] = ["text": "hi [[say=late]]", "delay_seconds": .number(0.5)]
            let answer = try await server.http.post(Self.path, body)
            #expect(answer.status == 202)
            let id = try #require(try answer.json["job_id"]?.string)
            #expect(answer["location"] == "/api/v1/jobs/\(id)")
            let due = try #require(Timestamp(rfc3339: try answer.json["run_at"]?.string ?? ""))
            let job = try await server.job(id, is: "completed")
            #expect(job["result"]?["response"] == "late")
            #expect(job["run_at"] == nil)
            let began = try #require(Timestamp(rfc3339: job["started_at"]?.string ?? ""))
            #expect(began >= due)
        }
    }

    @Test func `a message for later shows when it is due, and can be cancelled before`() async throws {
        try await withServer { server in
            let time = (Timestamp.now + .seconds(3600)).description
            let answer = try await server.http.post(Self.path, ["text": "hi", "run_at": .string(time)])
            #expect(answer.status == 202)
            let id = try answer.json["job_id"]?.string ?? ""
            let job = try await server.http.get("/api/v1/jobs/\(id)").json
            #expect(job["state"] == "scheduled")
            #expect(job["run_at"]?.string == time)
            #expect(job["position"] == nil)
            #expect(try await server.http.send("POST", "/api/v1/jobs/\(id)/cancel").status == 200)
            #expect(server.provider.counters.requests == 0)
        }
    }

    @Test func `a time that has just passed is now`() async throws {
        try await withServer { server in
            let time = (Timestamp.now - .seconds(30)).description
            let answer = try await server.http.post(Self.path, ["text": "hi [[say=ok]]", "run_at": .string(time)])
            #expect(answer.status == 202)
            try await server.job(try answer.json["job_id"]?.string ?? "", is: "completed")
        }
    }

    @Test func `on the socket a delayed message is accepted at once and followed`() async throws {
        try await withServer { server in
            try await server.withSocket { socket in
                try await socket.send(["text": "hi [[say=late]]", "delay_seconds": .number(0.3)])
                let frames = try await socket.answer()
                #expect(frames.first?.event == "start")
                #expect(frames.last?.event == "complete")
            }
        }
    }

    private static func time(_ seconds: Int) -> JSONValue {
        .string((Timestamp.now + .seconds(seconds)).description)
    }

    @Test func `what cannot be is refused by field, and nothing is accepted`() async throws {
        try await withServer { server in
            let refusals: [(String, [String: JSONValue])] = [
                ("priority", ["priority": "urgent"]), ("priority", ["priority": .integer(1)]),
                ("delay_seconds", ["delay_seconds": .integer(-1)]),
                ("delay_seconds", ["delay_seconds": .integer(31_536_001)]),
                ("delay_seconds", ["delay_seconds": .number(1e300)]), ("delay_seconds", ["delay_seconds": "5"]),
                ("run_at", ["run_at": "tomorrow"]), ("run_at", ["run_at": .integer(5)]),
                ("run_at", ["run_at": Self.time(-90)]), ("run_at", ["run_at": Self.time(31_536_100)]),
                ("run_at", ["run_at": Self.time(5), "delay_seconds": .integer(5)]),
                ("run_at", ["run_at": Self.time(5), "delay_seconds": .integer(0)]),
            ]
            for (field, more) in refusals {
                let answer = try await server.http.post(Self.path, more.merging(["text": "hi"]) { $1 })
                #expect(answer.status == 422, "\(more)")
                #expect(answer.code == "validation_failed")
                guard case .array(let details)? = try answer.json["detail"] else {
                    Issue.record("\(answer.body)")
                    continue
                }
                #expect(details.map { $0["loc"] } == [.array(["body", .string(field)])], "\(more)")
            }
            #expect(try await server.http.get("/api/v1/jobs").json["total"] == .integer(0))
        }
    }

    @Test func `a message shows its priority`() async throws {
        try await withServer { server in
            for priority in ["high", "default", "low"] {
                let id = try await server.submit("hi [[say=ok]]", ["priority": .string(priority)])
                #expect(try await server.job(id, is: "completed")["priority"]?.string == priority)
            }
        }
    }

    @Test func `a conversation with too many messages that wait takes no more, and says when to come back`()
        async throws
    {
        try await withServer { server in
            let first = try await server.submit("hi [[hang]]", ["conversation_id": "c"])
            var refused: HTTPProbe.Answer?
            for _ in 0..<64 where refused == nil {
                let answer = try await server.http.post(
                    Self.path,
                    ["text": "hi [[say=ok]]", "conversation_id": "c"],
                    headers: ["Prefer": "respond-async"]
                )
                if answer.status != 202 { refused = answer }
            }
            let answer = try #require(refused)
            #expect(answer.status == 429)
            #expect(answer.code == "queue_full")
            #expect(try answer.json["error"]?["retryable"] == .bool(true))
            #expect((1...60).contains(Int(answer["retry-after"] ?? "") ?? 0))
            let other = try await server.submit("hi [[say=ok]]", ["conversation_id": "d"])
            try await server.job(other, is: "completed")
            try await server.withSocket { socket in
                try await socket.send(["text": "hi", "conversation_id": "c"])
                let refusal = try await socket.next()
                #expect(refusal.data["code"] == "queue_full")
                #expect(refusal.data["retryable"] == .bool(true))
            }
            _ = try await server.http.send("POST", "/api/v1/jobs/\(first)/cancel")
        }
    }

    @Test func `a tenant with too many jobs that wait is refused, and others are not`() async throws {
        let variables = [
            "PENGUIN_API_KEYS": "alice=key-of-alice-0123456789,bob=key-of-bob-0123456789",
            "PENGUIN_TENANT_QUEUED_MAX": "3", "PENGUIN_WORKER_CONCURRENCY": "1",
        ]
        try await withServer(variables) { server in
            let alice = HTTPProbe(port: server.port, headers: ["X-API-Key": "key-of-alice-0123456789"])
            let bob = HTTPProbe(port: server.port, headers: ["X-API-Key": "key-of-bob-0123456789"])
            let body: [String: JSONValue] = ["text": "hi [[hang]]"]
            var statuses: [Int] = []
            for _ in 0..<10 where statuses.last != 429 {
                let answer = try await alice.post(Self.path, body, headers: ["Prefer": "respond-async"])
                statuses.append(answer.status)
                if answer.status == 429 {
                    #expect(answer.code == "queue_full")
                    #expect((1...60).contains(Int(answer["retry-after"] ?? "") ?? 0))
                }
            }
            // Three wait, and one that has begun meanwhile may not count any more.
            #expect(statuses.last == 429 && (4...5).contains(statuses.count), "\(statuses)")
            #expect(try await bob.post(Self.path, body, headers: ["Prefer": "respond-async"]).status == 202)
        }
    }
}
