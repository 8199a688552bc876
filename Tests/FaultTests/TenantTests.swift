import Domain
import TestSupport
import Testing
import WebSocket

private let aliceKey = "alice-0123456789abcdef"
private let bobKey = "bob-0123456789abcdef"

/// Two tenants on one server, and callers who are none.
@Suite(
    .serialized,
    .timeLimit(.minutes(2)),
    .sharedServer(["PENGUIN_API_KEYS": "alice=\(aliceKey),bob=\(bobKey)"])
)
struct TenantTests {
    private static func web(_ key: String?) throws -> WebServer {
        var web = try SharedServer.current.web
        web.key = key
        return web
    }

    @Test func `one tenant sees nothing of the other's and can change nothing of it`() async throws {
        let (alice, bob) = (try Self.web(aliceKey), try Self.web(bobKey))
        let prompt = "a secret [[tokens=1000 delay=10ms]]"
        try await alice.chat { chat in
            let job = try await chat.say(prompt, in: "private")
            try await chat.wait(for: job) { $0.text.contains("tok3 ") }
            for (method, path) in [
                ("GET", "/api/v1/conversations/private"), ("GET", "/api/v1/conversations/private/history"),
                ("GET", "/api/v1/jobs/\(job)"), ("GET", "/api/v1/jobs/\(job)/events"),
                ("POST", "/api/v1/jobs/\(job)/cancel"),
            ] {
                let reply = try await bob.http().ask(method, path)
                #expect(reply.status == 404, "\(method) \(path) is answered with \(reply.text.prefix(300))")
            }
            for path in ["/api/v1/conversations", "/api/v1/conversations/search?q=secret"] {
                let reply = try await bob.http().get(path)
                #expect(reply.status == 200)
                #expect(!reply.text.contains("private") && !reply.text.contains("secret"))
            }
            let post = try await bob.http().post(
                "/api/v1/chat/message",
                json: #"{"text":"[[history]]","conversation_id":"private"}"#
            )
            // The same id names another conversation here, which knows nothing of the first.
            #expect(post.status == 200 && !post.text.contains("secret"), "\(post.text.prefix(300))")
            try await bob.chat { stranger in
                try await stranger.resume(ChatTranscript(job))
                let error = try await stranger.frame("a refusal") { _ in true }
                #expect(error.event == "error" && error.data["code"]?.string == "not_found")
                let before = stranger.frames.count
                try await stranger.cancel(job)
                let second = try await stranger.frame(after: before, "a refusal") { _ in true }
                #expect(second.event == "error" && second.data["code"]?.string == "not_found")
            }
            #expect(chat.transcript(of: job).terminal == nil)
            try await chat.cancel(job)
            #expect(try await chat.end(of: job).terminal?.event == .cancelled)
        }
        #expect(try await alice.history(of: "private").first == .user(prompt))
    }

    @Test(arguments: [nil, "wrong-0123456789abcdef", ""])
    func `nobody comes in without a key that is known`(_ key: String?) async throws {
        let web = try Self.web(key)
        for path in ["/api/v1/conversations", "/api/v1/nothing", "/health", "/"] {
            let reply = try await web.http().get(path)
            #expect(reply.status == 401, "\(path)")
            #expect(reply.headers["www-authenticate"] != nil)
        }
        let refusal = try await #require(throws: WebSocketError.self) { try await web.chat { _ in } }
        #expect(refusal.code == .refused(status: 401))
        #expect(try await web.http().get("/livez").status == 200)
    }

    @Test func `a key may also come as a bearer token`() async throws {
        let web = try Self.web(nil)
        let reply = try await web.http().ask(
            "GET",
            "/api/v1/conversations",
            headers: ["authorization": "Bearer \(bobKey)"]
        )
        #expect(reply.status == 200)
    }
}
