import TestSupport
import Testing
import WebSocket

/// A server without keys is for this machine alone.
@Suite(.serialized, .timeLimit(.minutes(2)), .sharedServer())
struct LocalOnlyTests {
    @Test(arguments: [
        ["host": "evil.example"], ["host": "evil.example:8000"], ["host": "127.0.0.1.evil.example"],
        ["origin": "http://evil.example"], ["origin": "null"], ["origin": "http://localhost.evil.example"],
    ])
    func `a foreign host or origin is refused everywhere`(_ headers: [String: String]) async throws {
        let web = try SharedServer.current.web
        let reply = try await web.http().ask("GET", "/api/v1/conversations", headers: headers)
        #expect(reply.status == 403, "\(reply.text.prefix(300))")
        let refusal = try await #require(throws: WebSocketError.self) {
            try await withChat(port: web.port, headers: headers) { _ in }
        }
        #expect(refusal.code == .refused(status: 403))
    }

    @Test(arguments: [["host": "localhost"], ["host": "127.0.0.1:8000"], ["origin": "http://localhost:3000"]])
    func `a local host or origin is let in`(_ headers: [String: String]) async throws {
        let web = try SharedServer.current.web
        let reply = try await web.http().ask("GET", "/api/v1/conversations", headers: headers)
        #expect(reply.status == 200, "\(reply.text.prefix(300))")
    }
}
