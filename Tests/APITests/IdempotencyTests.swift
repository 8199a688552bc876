import Domain
import Testing
import TestSupport

@Suite(.serialized, .timeLimit(.minutes(3)))
struct IdempotencyTests {
    private static let path = "/api/v1/chat/message"

    private static func post(
        _ server: TestServer,
        _ body: [String: JSONValue],
        key: String? = "k-1",
        headers: [String: String] = [:]
    ) async throws -> HTTPProbe.Answer {
        let keyed = key.map { ["Idempotency-Key": $0] } ?? [:]
        return try await server.http.post(Self.path, body, headers: keyed.merging(headers) { $1 })
    }

    @Test func `the same request under the same key is answered from the same job, and asked once`() async throws {
        try await withServer { server in
            let body: [String: JSONValue] = ["text": "hi [[say=ok]]"]
            let first = try await Self.post(server, body)
            #expect(first.status == 200)
            #expect(first["idempotent-replayed"] == nil)
            let second = try await Self.post(server, body)
            #expect(second.status == 200)
            #expect(second["idempotent-replayed"] == "true")
            #expect(second.body == first.body)
            // By the field instead of the header, with what is the default written out.
            let third = try await Self.post(
                server,
                body.merging(["idempotency_key": "k-1", "streaming": .bool(true), "priority": "default"]) { $1 },
                key: nil
            )
            #expect(third.body == first.body)
            #expect(third["idempotent-replayed"] == "true")
            #expect(server.provider.counters.requests == 1)
            #expect(try await server.http.get("/api/v1/jobs").json["total"] == .integer(1))
            #expect(try await server.http.get("/api/v1/conversations").json["total"] == .integer(1))
            let other = try await Self.post(server, body, key: "k-2")
            #expect(other["idempotent-replayed"] == nil)
            #expect(try other.json["job_id"] != (try first.json["job_id"]))
        }
    }

    @Test func `a request that comes again while the first runs waits for the same answer`() async throws {
        try await withServer { server in
            let body: [String: JSONValue] = ["text": "hi [[tokens=3 first=500ms]]"]
            async let first = Self.post(server, body)
            try await eventually(within: .seconds(30), "it runs") { server.provider.counters.requests == 1 }
            let second = try await Self.post(server, body)
            #expect(second["idempotent-replayed"] == "true")
            #expect(try await first.body == second.body)
            let away = try await Self.post(server, body, headers: ["Prefer": "respond-async"])
            #expect(away.status == 202)
            #expect(away["idempotent-replayed"] == "true")
            #expect(away["location"] == "/api/v1/jobs/\(try second.json["job_id"]?.string ?? "")")
            #expect(server.provider.counters.requests == 1)
        }
    }

    @Test func `a failure is replayed as it was`() async throws {
        try await withServer { server in
            let body: [String: JSONValue] = ["text": "hi [[error=401]]"]
            let first = try await Self.post(server, body)
            let second = try await Self.post(server, body)
            #expect(first.status == 502 && second.status == 502)
            #expect(second.code == first.code)
            #expect(second["idempotent-replayed"] == "true")
        }
    }

    @Test(
        arguments: [
            ["text": "other"], ["text": "hi", "priority": "high"], ["text": "hi", "conversation_id": "c"],
            ["text": "hi", "context": .object(["a": .integer(1)])], ["text": "hi", "delay_seconds": .integer(1)],
            ["text": "hi", "max_iterations": .integer(7)], ["text": "hi", "streaming": .bool(false)],
        ] as [[String: JSONValue]]
    )
    func `another request under the key is refused, and not accepted`(_ other: [String: JSONValue]) async throws {
        try await withServer { server in
            #expect(try await Self.post(server, ["text": "hi"]).status == 200)
            let answer = try await Self.post(server, other)
            #expect(answer.status == 422)
            #expect(answer.code == "idempotency_key_reused")
            #expect(try answer.json["error"]?["retryable"] == .bool(false))
            #expect(try await server.http.get("/api/v1/jobs").json["total"] == .integer(1))
            #expect(try await server.http.get("/api/v1/conversations").json["total"] == .integer(1))
        }
    }

    @Test func `a key is one to 255 visible characters, the same wherever it stands`() async throws {
        try await withServer { server in
            let longest = String(repeating: "~", count: 255)
            #expect(try await Self.post(server, ["text": "hi"], key: longest).status == 200)
            for key in [longest + "x", "a b", "schlüssel"] {
                let answer = try await Self.post(server, ["text": "hi"], key: key)
                #expect(answer.status == 422, "\(key)")
                #expect(answer.body.contains("Idempotency-Key"), "\(key)")
            }
            for key in ["", "a b", longest + "x", "ä"] {
                let answer = try await Self.post(server, ["text": "hi", "idempotency_key": .string(key)], key: nil)
                #expect(answer.status == 422, "\(key)")
                #expect(answer.body.contains("idempotency_key"), "\(key)")
            }
            let both = try await Self.post(server, ["text": "hi", "idempotency_key": "b"], key: "a")
            #expect(both.status == 422)
            #expect(try await Self.post(server, ["text": "hi", "idempotency_key": "c"], key: "c").status == 200)
        }
    }

    @Test func `tenants do not share keys`() async throws {
        let keys = ["PENGUIN_API_KEYS": "alice=key-of-alice-0123456789,bob=key-of-bob-0123456789"]
        try await withServer(keys) { server in
            var jobs: Set<String> = []
            for key in ["key-of-alice-0123456789", "key-of-bob-0123456789"] {
                let answer = try await Self.post(
                    server,
                    ["text": .string("hi [[say=\(key)]]")],
                    headers: ["X-API-Key": key]
                )
                #expect(answer.status == 200)
                #expect(answer["idempotent-replayed"] == nil)
                jobs.insert(try answer.json["job_id"]?.string ?? "")
            }
            #expect(jobs.count == 2)
        }
    }

    @Test func `on the socket the job of the first frame is followed from its beginning`() async throws {
        try await withServer { server in
            let frame: [String: JSONValue] = ["text": "hi [[tokens=4 delay=10ms]]", "idempotency_key": "k"]
            let first = try await server.withSocket { socket in
                try await socket.send(frame)
                return try await socket.answer()
            }
            let second = try await server.withSocket { socket in
                try await socket.send(frame)
                return try await socket.answer()
            }
            #expect(second.map(\.text) == first.map(\.text))
            #expect(server.provider.counters.requests == 1)
            try await server.withSocket { socket in
                try await socket.send(["text": "other", "idempotency_key": "k"])
                let refusal = try await socket.next()
                #expect(refusal.event == "error")
                #expect(refusal.data["code"] == "idempotency_key_reused")
            }
        }
    }
}
