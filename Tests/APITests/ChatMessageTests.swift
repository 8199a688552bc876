import Domain
import Testing
import TestSupport

@Suite(.serialized, .timeLimit(.minutes(3)))
struct ChatMessageTests {
    private static let path = "/api/v1/chat/message"

    @Test func `an answer has every field of the contract`() async throws {
        try await withServer { server in
            let answer = try await server.http.post(Self.path, ["text": "hi [[say=Hello there]]"])
            #expect(answer.status == 200)
            #expect(answer["content-type"]?.hasPrefix("application/json") == true)
            #expect(answer["x-request-id"]?.isEmpty == false)
            let body = try answer.json
            #expect(body["response"] == "Hello there")
            #expect(body["action_results"] == .array([]))
            #expect(body["status"] == "completed")
            #expect(body["stop_reason"] == "final_answer")
            #expect(body["iterations"] == .integer(1))
            #expect(body["agent_id"] == "default")
            #expect(body["model"] == "openai/fake")
            #expect(body["reasoning"] == nil)
            #expect(body["conversation_id"]?.string?.hasPrefix("conv_") == true)
            #expect(body["message_id"]?.string?.hasPrefix("msg_") == true)
            #expect(body["job_id"]?.string?.hasPrefix("job_") == true)
            let usage = try #require(body["usage"]?.object)
            #expect(
                Set(usage.keys).isSuperset(of: [
                    "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens",
                ])
            )
        }
    }

    @Test func `reasoning is in the answer only when asked for`() async throws {
        try await withServer { server in
            let text = "hi [[tokens=2 reasoning=2]]"
            let without = try await server.chat(text)
            let with = try await server.chat(text, ["include_reasoning": .bool(true)])
            #expect(without["reasoning"] == nil)
            #expect(with["reasoning"] == "think0 think1 ")
        }
    }

    @Test func `a conversation goes on under its id, also one the client made, by either name`() async throws {
        try await withServer { server in
            let first = try await server.chat("one [[say=1]]", ["conversation_id": "my.conv:1"])
            #expect(first["conversation_id"] == "my.conv:1")
            _ = try await server.chat("two [[say=2]]", ["session_id": "my.conv:1"])
            let other = try await server.chat("three [[history]]")
            #expect(other["conversation_id"] != "my.conv:1")
            #expect(other["response"]?.string?.contains("one") == false)
            let prompt = server.provider.requests[1].messages.filter { $0.role != "system" }.map(\.content)
            #expect(prompt == ["one [[say=1]]", "1", "two [[say=2]]"])
        }
    }

    @Test func `without streaming the provider is asked for one reply`() async throws {
        try await withServer { server in
            let body = try await server.chat("hi [[tokens=2]]", ["streaming": .bool(false)])
            #expect(body["response"] == "tok0 tok1 ")
            #expect(server.provider.requests.map(\.stream) == [false])
        }
    }

    @Test func `context goes to the model before the message`() async throws {
        try await withServer { server in
            _ = try await server.chat("hi [[say=ok]]", ["context": .object(["city": "Bremen"])])
            let prompt = try #require(server.provider.requests.first?.messages)
            #expect(prompt.contains { $0.role == "system" && $0.content.contains("Bremen") })
            #expect(prompt.last?.content == "hi [[say=ok]]")
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let body: String
        let status: Int
        let code: String
        var loc: [String]?
        var type: String?
        var testDescription: String { self.body.isEmpty ? "(nothing)" : String(self.body.prefix(60)) }
    }

    private static let refusals = [
        Refusal(body: "{}", status: 422, code: "validation_failed", loc: ["body", "text"], type: "missing"),
        Refusal(
            body: #"{"text":null}"#,
            status: 422,
            code: "validation_failed",
            loc: ["body", "text"],
            type: "missing"
        ),
        Refusal(body: #"{"text":7}"#, status: 422, code: "validation_failed", loc: ["body", "text"], type: "type"),
        Refusal(
            body: #"{"text":" \n\t"}"#,
            status: 422,
            code: "validation_failed",
            loc: ["body", "text"],
            type: "value"
        ),
        Refusal(
            body: #"{"text":"x","conversation_id":"a b"}"#,
            status: 422,
            code: "validation_failed",
            loc: ["body", "conversation_id"],
            type: "value"
        ),
        Refusal(
            body: #"{"text":"x","max_iterations":0}"#,
            status: 422,
            code: "validation_failed",
            loc: ["body", "max_iterations"],
            type: "value"
        ),
        Refusal(
            body: #"{"text":"x","max_iterations":1001}"#,
            status: 422,
            code: "validation_failed",
            loc: ["body", "max_iterations"],
            type: "value"
        ),
        Refusal(
            body: #"{"text":"x","max_iterations":1.5}"#,
            status: 422,
            code: "validation_failed",
            loc: ["body", "max_iterations"],
            type: "type"
        ),
        Refusal(
            body: #"{"text":"x","streaming":"yes"}"#,
            status: 422,
            code: "validation_failed",
            loc: ["body", "streaming"],
            type: "type"
        ),
        Refusal(
            body: #"{"text":"x","context":[]}"#,
            status: 422,
            code: "validation_failed",
            loc: ["body", "context"],
            type: "type"
        ),
        Refusal(
            body: #"{"text":"x","agent_id":"Not OK"}"#,
            status: 422,
            code: "validation_failed",
            loc: ["body", "agent_id"],
            type: "value"
        ),
        Refusal(
            body: #"{"text":"x","model":"nobody/knows it"}"#,
            status: 422,
            code: "validation_failed",
            loc: ["body", "model"],
            type: "value"
        ),
        Refusal(body: #"{"text":"x","agent_id":"nobody"}"#, status: 404, code: "not_found"),
        Refusal(body: "", status: 400, code: "malformed_json"),
        Refusal(body: "{", status: 400, code: "malformed_json"),
        Refusal(body: #"["text"]"#, status: 400, code: "malformed_json"),
        Refusal(body: #"{"text":"\ud800"}"#, status: 400, code: "malformed_json"),
    ]

    @Test func `what cannot be accepted is told as the contract says, field by field`() async throws {
        try await withServer { server in
            for refusal in Self.refusals {
                let answer = try await server.http.send("POST", Self.path, body: refusal.body)
                #expect(answer.status == refusal.status, "\(refusal.body)")
                #expect(answer.code == refusal.code, "\(refusal.body)")
                let body = try answer.json
                #expect(body["request_id"]?.string == answer["x-request-id"])
                #expect(body["error"]?["retryable"] == .bool(false))
                #expect(body["error"]?["message"]?.string?.isEmpty == false)
                guard let loc = refusal.loc, case .array(let details) = body["detail"] else {
                    #expect(body["detail"]?.string?.isEmpty == false, "\(refusal.body)")
                    continue
                }
                #expect(details.count == 1, "\(refusal.body)")
                #expect(details[0]["loc"] == .array(loc.map { .string($0) }), "\(refusal.body)")
                #expect(details[0]["type"]?.string == refusal.type, "\(refusal.body)")
                #expect(details[0]["msg"]?.string?.isEmpty == false)
            }
            // Nothing of it was accepted.
            #expect(try await server.http.get("/api/v1/conversations").json["total"] == .integer(0))
        }
    }

    @Test func `all that is wrong is told together`() async throws {
        try await withServer { server in
            let answer = try await server.http.post(Self.path, ["text": .integer(1), "streaming": .integer(1)])
            guard case .array(let details) = try answer.json["detail"] else {
                Issue.record("\(answer.body)")
                return
            }
            #expect(details.count == 2)
        }
    }

    @Test func `another media type is 415, a body that is too large 413`() async throws {
        try await withServer(["PENGUIN_MAX_BODY_BYTES": "2048"]) { server in
            let body = #"{"text":"hi [[say=ok]]"}"#
            for type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
                let answer = try await server.http.send("POST", Self.path, headers: ["Content-Type": type], body: body)
                #expect(answer.status == 415, "\(type)")
                #expect(answer.code == "unsupported_media_type")
            }
            for type in ["application/json; charset=utf-8", "APPLICATION/JSON", ""] {
                let answer = try await server.http.send("POST", Self.path, headers: ["Content-Type": type], body: body)
                #expect(answer.status == 200, "\(type)")
            }
            let large = try await server.http.post(Self.path, ["text": .string(String(repeating: "x", count: 4000))])
            #expect(large.status == 413)
            #expect(large.code == "too_large")
        }
    }

    @Test(arguments: [
        ("[[error=401]]", "provider_authentication", false),
        ("[[error=429 retry_after=0]]", "provider_rate_limited", true),
        ("[[error=500]]", "provider_server_error", true), ("[[error=context]]", "provider_context_too_long", false),
        ("[[garbage]]", "provider_malformed", false),
    ])
    func `a provider's failure is a 502 that names it, and the message stays`(
        _ directive: String,
        _ code: String,
        _ isRetryable: Bool
    ) async throws {
        try await withServer(["PENGUIN_TURN_ATTEMPTS": "2"]) { server in
            let body: [String: JSONValue] = ["text": .string("hi \(directive)"), "conversation_id": "c"]
            let answer = try await server.http.post(Self.path, body)
            #expect(answer.status == 502)
            #expect(answer.code == code)
            #expect(try answer.json["error"]?["retryable"] == .bool(isRetryable))
            #expect(!answer.body.contains("sk-test-key"))
            let history = try await server.http.get("/api/v1/conversations/c/history").json
            guard case .array(let messages) = history["messages"] else {
                Issue.record("no messages")
                return
            }
            #expect(messages.map { $0["role"] } == ["user"])
        }
    }

    @Test func `a client that will not wait gets the job's address at once`() async throws {
        try await withServer { server in
            let answer = try await server.http.post(
                Self.path,
                ["text": "hi [[first=300ms say=later]]"],
                headers: ["Prefer": "respond-async"]
            )
            #expect(answer.status == 202)
            let body = try answer.json
            let id = try #require(body["job_id"]?.string)
            #expect(answer["location"] == "/api/v1/jobs/\(id)")
            #expect(body["conversation_id"]?.string?.hasPrefix("conv_") == true)
            let job = try await server.job(id, is: "completed")
            #expect(job["result"]?["job_id"]?.string == id)
        }
    }

    @Test func `a job that outlasts the sync timeout is answered with its address too`() async throws {
        try await withServer(["PENGUIN_SYNC_TIMEOUT": "0.2"]) { server in
            let answer = try await server.http.post(Self.path, ["text": "hi [[tokens=3 first=1500ms]]"])
            #expect(answer.status == 202)
            let id = try #require(try answer.json["job_id"]?.string)
            #expect(answer["location"] == "/api/v1/jobs/\(id)")
            #expect(try await server.job(id, is: "completed")["result"]?["response"] == "tok0 tok1 tok2 ")
        }
    }

    @Test func `a client that goes away does not stop its job`() async throws {
        try await withServer { server in
            let body = #"{"text":"hi [[tokens=3 first=300ms]]","conversation_id":"c"}"#
            let request =
                "POST \(Self.path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            let client = Task { try await server.http.exchange(request) }
            try await eventually(within: .seconds(30), "the model is asked") { server.provider.counters.requests == 1 }
            client.cancel()
            _ = await client.result
            try await eventually(within: .seconds(30), "the answer is there") {
                try await server.http.get("/api/v1/conversations/c/history").body.contains("tok0 tok1 tok2 ")
            }
        }
    }
}
