import Domain
import Testing
import TestSupport

@Suite(.serialized, .timeLimit(.minutes(3)))
struct JobTests {
    @Test func `a job shows its life and where to look further`() async throws {
        try await withServer { server in
            let id = try await server.submit("hi [[say=ho]]", ["conversation_id": "c"])
            let job = try await server.job(id, is: "completed")
            #expect(job["job_id"]?.string == id)
            #expect(job["kind"] == "chat")
            #expect(job["priority"] == "default")
            #expect(job["conversation_id"] == "c")
            #expect(job["agent_id"] == "default")
            #expect(job["attempt"] == .integer(1))
            #expect(job["lost"] == .integer(0))
            #expect(job["stop_reason"] == "final_answer")
            #expect(job["result"]?["response"] == "ho")
            #expect(job["usage"] == job["result"]?["usage"])
            #expect(job["links"]?["self"]?.string == "/api/v1/jobs/\(id)")
            #expect(job["links"]?["events"]?.string == "/api/v1/jobs/\(id)/events")
            #expect(job["links"]?["cancel"]?.string == "/api/v1/jobs/\(id)/cancel")
            for time in ["created_at", "started_at", "finished_at"] {
                #expect(Timestamp(rfc3339: job[time]?.string ?? "") != nil, "\(time)")
            }
        }
    }

    @Test func `a failed job says why`() async throws {
        try await withServer { server in
            let id = try await server.submit("hi [[error=401]]")
            let job = try await server.job(id, is: "failed")
            #expect(job["error"]?["code"] == "provider_authentication")
            #expect(job["result"] == nil)
            #expect(job["stop_reason"] == "provider_error")
        }
    }

    @Test func `an unknown job is 404 on every path`() async throws {
        try await withServer { server in
            for (method, path) in [("GET", ""), ("GET", "/events"), ("POST", "/cancel")] {
                let answer = try await server.http.send(method, "/api/v1/jobs/job_none\(path)")
                #expect(answer.status == 404, "\(path)")
                #expect(answer.code == "not_found", "\(path)")
            }
        }
    }

    @Test func `a running job that is cancelled ends soon, and an ended one stays as it was`() async throws {
        try await withServer { server in
            let id = try await server.submit("hi [[tokens=3 hang=3]]", ["conversation_id": "c"])
            try await eventually(within: .seconds(30), "it runs") { server.provider.counters.answersLive == 1 }
            let cancelled = try await server.http.send("POST", "/api/v1/jobs/\(id)/cancel")
            // The worker may be quicker than the answer.
            #expect(cancelled.status == (try cancelled.json["state"] == "cancelled" ? 200 : 202))
            #expect(try cancelled.json["cancel_requested"] == .bool(true))
            let job = try await server.job(id, is: "cancelled")
            #expect(job["stop_reason"] == "cancelled")
            try await eventually(within: .seconds(30), "the provider is let go") {
                server.provider.counters.answersLive == 0
            }
            let again = try await server.http.send("POST", "/api/v1/jobs/\(id)/cancel")
            #expect(again.status == 200)
            #expect(try again.json["state"] == "cancelled")
            let done = try await server.submit("hi [[say=ho]]")
            try await server.job(done, is: "completed")
            let late = try await server.http.send("POST", "/api/v1/jobs/\(done)/cancel")
            #expect(late.status == 200)
            #expect(try late.json["state"] == "completed")
        }
    }

    @Test func `a waiting job is cancelled at once, and a POST that waits for it is told`() async throws {
        try await withServer { server in
            let first = try await server.submit("hi [[hang]]", ["conversation_id": "c"])
            let second = try await server.submit("ho", ["conversation_id": "c"])
            let answer = try await server.http.send("POST", "/api/v1/jobs/\(second)/cancel")
            #expect(answer.status == 200)
            #expect(try answer.json["state"] == "cancelled")
            async let waiting = server.http.post("/api/v1/chat/message", ["text": "he", "conversation_id": "c"])
            _ = try await server.http.send("POST", "/api/v1/jobs/\(first)/cancel")
            #expect(try await waiting.status == 200)
            async let doomed = server.http.post(
                "/api/v1/chat/message",
                ["text": "hi [[hang]]", "conversation_id": "doomed"]
            )
            try await eventually(within: .seconds(30), "it runs") { server.provider.counters.answersLive == 1 }
            let id = try await Self.running(in: "doomed", of: server)
            _ = try await server.http.send("POST", "/api/v1/jobs/\(id)/cancel")
            #expect(try await doomed.status == 409)
            #expect(try await doomed.code == "cancelled")
        }
    }

    /// The job of the last request that the provider got, by the events of its conversation's start.
    private static func running(in conversation: String, of server: TestServer) async throws -> String {
        let second = try await server.submit("behind it", ["conversation_id": .string(conversation)])
        _ = try await server.http.send("POST", "/api/v1/jobs/\(second)/cancel")
        let jobs = try await server.redisKeys("penguin:log:job_*").map { $0.replacing("penguin:log:", with: "") }
        for id in jobs {
            let job = try await server.http.get("/api/v1/jobs/\(id)").json
            if job["conversation_id"]?.string == conversation, job["state"] == "running" { return id }
        }
        throw NotInTime(description: "no job runs in \(conversation)")
    }

    // MARK: Events

    private static func events(
        _ server: TestServer,
        _ id: String,
        headers: [String: String] = [:],
        query: String = ""
    ) async throws -> HTTPProbe.Answer {
        try await server.http.get("/api/v1/jobs/\(id)/events\(query)", headers: headers)
    }

    @Test func `events are framed as server-sent events, all types, to the terminal one`() async throws {
        try await withServer { server in
            let id = try await server.submit("hi [[tokens=4 delay=30ms]]")
            let answer = try await Self.events(server, id)
            #expect(answer.status == 200)
            #expect(answer["content-type"]?.hasPrefix("text/event-stream") == true)
            #expect(answer["cache-control"]?.contains("no-cache") == true)
            let events = try SSEEvent.parse(answer.body)
            #expect(events.first?.event == "start")
            #expect(events.first?.id == "0-1")
            #expect(events.map(\.event).contains("attempt"))
            #expect(events.map(\.event).contains("progress"))
            #expect(events.last?.event == "complete")
            #expect(events.count { ["complete", "error", "cancelled"].contains($0.event) } == 1)
            #expect(events.allSatisfy { $0.data["job_id"]?.string == id })
            let text = events.filter { $0.event == "token" }.compactMap { $0.data["token"]?.string }.joined()
            #expect(text == "tok0 tok1 tok2 tok3 ")
            #expect(events.last?.data["response"]?.string == text)
        }
    }

    @Test func `a stream resumed after any event has the same bytes, by header or parameter`() async throws {
        try await withServer { server in
            let id = try await server.submit(
                "hi [[tokens=6 delay=20ms reasoning=3]]",
                ["include_reasoning": .bool(true)]
            )
            let whole = try await Self.events(server, id).body
            let events = try SSEEvent.parse(whole)
            #expect(events.count >= 5)
            for (index, event) in events.dropLast().enumerated() {
                let rest = events[(index + 1)...].map(\.text).joined()
                #expect(try await Self.events(server, id, headers: ["Last-Event-ID": event.id]).body == rest)
                #expect(try await Self.events(server, id, query: "?after=\(event.id)").body == rest)
            }
            for bad in ["x", "1", "-", "1-2-3"] {
                #expect(try await Self.events(server, id, query: "?after=\(bad)").status == 400, "\(bad)")
                #expect(try await Self.events(server, id, headers: ["Last-Event-ID": bad]).status == 400, "\(bad)")
            }
        }
    }

    @Test func `a stream resumed after its end is told to stay away, so that a browser does not come back for ever`()
        async throws
    {
        try await withServer { server in
            let id = try await server.submit("hi [[tokens=2]]")
            let events = try SSEEvent.parse(try await Self.events(server, id).body)
            let last = try #require(events.last).id
            let again = try await Self.events(server, id, headers: ["Last-Event-ID": last])
            #expect(again.status == 204)
            #expect(again.body.isEmpty)
        }
    }

    @Test func `after its log has expired a job still tells its text and its end`() async throws {
        try await withServer(["PENGUIN_LOG_TTL_SECONDS": "0.1"]) { server in
            let id = try await server.submit("hi [[tokens=2]]")
            try await server.job(id, is: "completed")
            try await eventually(within: .seconds(30), "the log has expired") {
                try await server.redisKeys("penguin:log:*").isEmpty
            }
            for cursor in ["0-0", "0-1", "5-5"] {
                let events = try SSEEvent.parse(try await Self.events(server, id, query: "?after=\(cursor)").body)
                #expect(events.map(\.event) == ["snapshot", "complete"], "\(cursor)")
                #expect(events.first?.data["text"] == "tok0 tok1 ")
                #expect(events.last?.data["response"] == "tok0 tok1 ")
            }
        }
    }
}
