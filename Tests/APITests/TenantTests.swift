import Domain
import Testing
import TestSupport
import WebSocket

@Suite(.serialized, .timeLimit(.minutes(3)))
struct TenantTests {
    private static let keys = ["PENGUIN_API_KEYS": "alice=key-of-alice-0123456789,bob=key-of-bob-0123456789"]
    private static let alice = "key-of-alice-0123456789"
    private static let bob = "key-of-bob-0123456789"

    private static func http(_ server: TestServer, _ key: String) -> HTTPProbe {
        HTTPProbe(port: server.port, headers: ["X-API-Key": key])
    }

    @Test func `with keys nobody comes in without one, but for probes`() async throws {
        try await withServer(Self.keys) { server in
            for path in ["/", "/health", "/api/v1/conversations", "/api/v1/chat/stream", "/nowhere"] {
                for headers in [[:], ["X-API-Key": "wrong"], ["Authorization": "Bearer wrong"]] {
                    let answer = try await server.http.get(path, headers: headers)
                    #expect(answer.status == 401, "\(path)")
                    #expect(answer.code == "unauthorized")
                    #expect(answer["www-authenticate"] == "Bearer")
                }
            }
            #expect(try await server.http.get("/livez").status == 200)
            #expect(try await server.http.get("/readyz").status == 200)
            for headers in [["X-API-Key": Self.alice], ["Authorization": "Bearer \(Self.bob)"]] {
                #expect(try await server.http.get("/api/v1/conversations", headers: headers).status == 200)
            }
            let error = await #expect(throws: WebSocketError.self) { try await server.withSocket { _ in } }
            #expect(error?.code == .refused(status: 401))
        }
    }

    @Test func `what one tenant has, another does not see`() async throws {
        try await withServer(Self.keys) { server in
            let alice = Self.http(server, Self.alice)
            let bob = Self.http(server, Self.bob)
            let body: [String: JSONValue] = ["text": "secret fish [[say=ok]]", "conversation_id": "c"]
            let answer = try await alice.post("/api/v1/chat/message", body).json
            let job = try #require(answer["job_id"]?.string)
            for path in [
                "/api/v1/conversations/c", "/api/v1/conversations/c/history", "/api/v1/jobs/\(job)",
                "/api/v1/jobs/\(job)/events",
            ] {
                #expect(try await alice.get(path).status == 200, "\(path)")
                #expect(try await bob.get(path).status == 404, "\(path)")
            }
            for (method, path) in [("POST", "/cancel"), ("POST", "/retry"), ("DELETE", "")] {
                #expect(try await bob.send(method, "/api/v1/jobs/\(job)\(path)").status == 404, "\(method) \(path)")
            }
            for filter in ["", "?conversation_id=c", "?parent_id=\(job)", "?state=completed"] {
                let list = try await bob.get("/api/v1/jobs\(filter)").json
                #expect(list["total"] == .integer(0) && list["jobs"] == .array([]), "\(filter)")
            }
            #expect(try await bob.get("/api/v1/queue").json["states"]?["completed"] == .integer(0))
            #expect(try await alice.get("/api/v1/queue").json["states"]?["completed"] == .integer(1))
            #expect(try await alice.get("/api/v1/jobs/\(job)").status == 200)
            #expect(try await bob.get("/api/v1/conversations").json["total"] == .integer(0))
            #expect(try await bob.get("/api/v1/conversations/search?q=fish").json["results"] == .array([]))
            try await server.withSocket(headers: [("X-API-Key", Self.bob)]) { socket in
                for frame in ["resume", "cancel"] {
                    try await socket.send([frame: .object(["job_id": .string(job)])])
                    #expect(try await socket.next().data["code"] == "not_found")
                }
            }
            // The same id is another conversation for another tenant.
            let history: [String: JSONValue] = ["text": "mine [[history]]", "conversation_id": "c"]
            let own = try await bob.post("/api/v1/chat/message", history).json
            #expect(own["response"]?.string?.contains("fish") == false)
            #expect(try await alice.get("/api/v1/conversations/c/history").body.contains("mine") == false)
        }
    }
}
