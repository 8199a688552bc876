import Domain
import Foundation
import NIOCore
import TestSupport
import Testing

/// Requests no well-behaved client sends: each gets the status that says what is wrong, never a 5xx.
@Suite(.serialized, .timeLimit(.minutes(2)), .sharedServer())
struct BadRequestTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var method = "POST"
        var path = "/api/v1/chat/message"
        var body: String?
        var type: String? = "application/json"
        let status: Int

        var testDescription: String { "\(self.method) \(self.path) \(self.body?.prefix(60) ?? "")" }
    }

    static let cases: [Case] = [
        // Bodies.
        Case(body: "no json", status: 400), Case(body: "", status: 400), Case(body: nil, status: 400),
        Case(body: "[]", status: 400), Case(body: "null", status: 400), Case(body: #""text""#, status: 400),
        Case(body: "{\"text\":\"a\u{0}\"}", status: 400),
        Case(body: String(repeating: "[", count: 100_000), status: 400),
        Case(body: "{}", status: 422), Case(body: #"{"text":" "}"#, status: 422),
        Case(body: #"{"text":5}"#, status: 422),
        Case(body: #"{"text":"a","max_iterations":1001}"#, status: 422),
        Case(body: #"{"text":"a","conversation_id":"a/b"}"#, status: 422),
        Case(body: #"{"text":"a","model":"no/such model"}"#, status: 422),
        Case(body: #"{"text":"a","agent_id":"nobody"}"#, status: 404),
        Case(body: #"{"text":"a"}"#, type: "text/plain", status: 415),
        Case(body: "text=a", type: "application/x-www-form-urlencoded", status: 415),
        Case(path: "/api/v1/conversations/create", body: "[]", status: 400),
        Case(path: "/api/v1/conversations/create", body: #"{"title":5}"#, status: 422),
        // Ids.
        Case(method: "GET", path: "/api/v1/jobs/job_unknown", status: 404),
        Case(method: "GET", path: "/api/v1/jobs/job_unknown/events", status: 404),
        Case(method: "POST", path: "/api/v1/jobs/job_unknown/cancel", status: 404),
        Case(method: "GET", path: "/api/v1/jobs/%00%0d%0a", status: 404),
        Case(method: "GET", path: "/api/v1/conversations/unknown", status: 404),
        Case(method: "GET", path: "/api/v1/conversations/unknown/history", status: 404),
        Case(method: "GET", path: "/api/v1/conversations/%ff%fe", status: 404),
        Case(method: "GET", path: "/api/v1/nothing", status: 404),
        Case(method: "GET", path: "/%2e%2e/%2e%2e/etc/passwd", status: 404),
        // Parameters.
        Case(method: "GET", path: "/api/v1/conversations?limit=0", status: 400),
        Case(method: "GET", path: "/api/v1/conversations?limit=x", status: 400),
        Case(method: "GET", path: "/api/v1/conversations?cursor=nonsense", status: 422),
        Case(method: "GET", path: "/api/v1/conversations/search", status: 400),
        // Sockets asked as pages.
        Case(method: "GET", path: "/api/v1/chat/stream", status: 426),
    ]

    @Test(arguments: Self.cases)
    func `a bad request is told what is wrong with it`(_ scene: Case) async throws {
        let http = try SharedServer.current.web.http()
        let reply = try await http.ask(
            scene.method,
            scene.path,
            body: scene.body.map { ByteBuffer(string: $0) },
            headers: scene.body == nil ? [:] : scene.type.map { ["content-type": $0] } ?? [:]
        )
        #expect(reply.status == scene.status, "\(reply.text.prefix(300))")
        #expect(reply.json?["error"]?["code"]?.string?.isEmpty == false, "\(reply.text.prefix(300))")
        #expect(reply.json?["request_id"]?.string == reply.headers["x-request-id"])
    }

    @Test(arguments: ["/api/v1/conversations/search?q=%22%27%28%2A", "/api/v1/conversations/search?q=AND%20OR%20NOT"])
    func `words that mean something to the database are only words`(_ path: String) async throws {
        let reply = try await SharedServer.current.web.http().get(path)
        #expect(reply.status == 200, "\(reply.text.prefix(300))")
    }

    @Test func `a body that is no UTF-8 is malformed`() async throws {
        let http = try SharedServer.current.web.http()
        let body = ByteBuffer(bytes: Array(#"{"text":""#.utf8) + [0xc3, 0x28, 0x22, 0x7d])
        let reply = try await http.ask(
            "POST",
            "/api/v1/chat/message",
            body: body,
            headers: ["content-type": "application/json"]
        )
        #expect(reply.status == 400)
    }

    @Test(arguments: [1_048_577, 8 << 20])
    func `a body that is too big is refused with 413`(_ size: Int) async throws {
        let http = try SharedServer.current.web.http()
        let reply = try await http.ask(
            "POST",
            "/api/v1/chat/message",
            body: ByteBuffer(repeating: UInt8(ascii: " "), count: size),
            headers: ["content-type": "application/json"]
        )
        #expect(reply.status == 413)
        #expect(reply.json?["error"]?["code"]?.string == "too_large")
    }

    @Test(arguments: [
        ("GET", "/api/v1/chat/message", "POST"), ("PUT", "/api/v1/chat/message", "POST"),
        ("DELETE", "/api/v1/chat/message", "POST"), ("PATCH", "/api/v1/jobs/x", "DELETE, GET, HEAD"),
        ("GET", "/api/v1/jobs/x/cancel", "POST"), ("POST", "/api/v1/conversations", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"), ("TRACE", "/health", "GET, HEAD"),
    ])
    func `a method that a path does not take is refused with those it does`(
        _ method: String,
        _ path: String,
        _ allowed: String
    ) async throws {
        let reply = try await SharedServer.current.web.http().ask(method, path)
        #expect(reply.status == 405, "\(reply.text.prefix(300))")
        #expect(reply.headers["allow"] == allowed)
    }
}
