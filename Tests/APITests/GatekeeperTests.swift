import Domain
import HTTPTypes
import Settings
import Testing

@testable import API

@Suite(.timeLimit(.minutes(1)))
struct GatekeeperTests {
    private static func request(_ host: String?, _ headers: [String: String] = [:]) -> HTTPRequest {
        var request = HTTPRequest(method: .get, scheme: "http", authority: host, path: "/")
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { request.headerFields[name] = value }
        }
        return request
    }

    private static let local = Caller(tenant: .default, isAdmin: true)

    private static func isAllowed(_ verdict: Gatekeeper.Verdict) -> Bool {
        if case .allowed = verdict { true } else { false }
    }

    @Test(arguments: [
        "localhost", "localhost:8000", "LOCALHOST", "127.0.0.1", "127.0.0.1:8000", "127.8.9.10", "[::1]", "[::1]:8000",
        "penguin.localhost:8000",
    ])
    func `without keys a request to this machine is let in`(_ host: String) {
        let gatekeeper = Gatekeeper(keys: [], origins: [])
        #expect(gatekeeper.judge(Self.request(host)) == .allowed(Self.local))
    }

    @Test(arguments: [
        "127.0.0.1.evil.com", "localhost.evil.com", "evil.com", "evil.com:8000", "127.0.0.1.evil.com:8000",
        "192.168.0.1", "0.0.0.0", "128.0.0.1", "127.0.0.256", "127.0.0", "127.1", "evillocalhost", "localhost@evil.com",
        "[::2]:8000", "[::1].evil.com", "[::1]evil.com", "[localhost]", "::ffff:127.0.0.1", "", "localhost:8000:1",
        "127.0.0.1 evil.com", "[::1",
    ])
    func `without keys a request to any other name is refused`(_ host: String) {
        let gatekeeper = Gatekeeper(keys: [], origins: [])
        #expect(!Self.isAllowed(gatekeeper.judge(Self.request(host))))
    }

    @Test func `without keys a request without a host is let in`() {
        #expect(Gatekeeper(keys: [], origins: []).judge(Self.request(nil)) == .allowed(Self.local))
    }

    @Test(arguments: [
        ("http://localhost:3000", true), ("http://127.0.0.1", true), ("https://[::1]:8000", true),
        ("https://app.example.com", true), ("https://app.example.com:444", false), ("http://app.example.com", false),
        ("https://evil.com", false), ("https://localhost.evil.com", false), ("http://127.0.0.1.evil.com", false),
        ("null", false), ("file://", false), ("", false), ("https://localhost@evil.com", false),
    ])
    func `a page may only ask from here or from a configured origin`(_ origin: String, _ isAllowed: Bool) {
        let gatekeeper = Gatekeeper(keys: [], origins: ["https://app.example.com"])
        #expect(gatekeeper.isAllowed(origin: origin) == isAllowed)
        #expect(Self.isAllowed(gatekeeper.judge(Self.request("localhost", ["Origin": origin]))) == isAllowed)
    }

    @Test func `a star allows every origin, and no other host`() {
        let gatekeeper = Gatekeeper(keys: [], origins: ["*"])
        #expect(gatekeeper.isAllowed(origin: "https://evil.com"))
        #expect(!Self.isAllowed(gatekeeper.judge(Self.request("evil.com"))))
    }

    @Test(arguments: [
        (["X-API-Key": "key-of-alice-0123"], "alice"), (["Authorization": "Bearer key-of-alice-0123"], "alice"),
        (["Authorization": "bearer key-of-bob-012345"], "bob"), (["X-API-Key": "key-of-alice-012"], nil),
        (["X-API-Key": ""], nil), (["Authorization": "Basic key-of-alice-0123"], nil),
        (["Authorization": "Bearer"], nil),
        ([:], nil),
    ])
    func `with keys each key is a tenant, some may administer, and nobody else comes in`(
        _ headers: [String: String],
        _ tenant: String?
    ) {
        let keys = [
            APIKey(name: "alice", key: "key-of-alice-0123"),
            APIKey(name: "bob", key: "key-of-bob-012345", isAdmin: true),
        ]
        let verdict = Gatekeeper(keys: keys, origins: []).judge(Self.request("any.host", headers))
        if let tenant {
            #expect(verdict == .allowed(Caller(tenant: TenantID(rawValue: tenant), isAdmin: tenant == "bob")))
        } else if case .unauthorized = verdict {
        } else {
            Issue.record("\(verdict)")
        }
    }

    @Test func `with keys no page of this machine may read answers unless configured`() {
        let gatekeeper = Gatekeeper(
            keys: [APIKey(name: "alice", key: "key-of-alice-0123")],
            origins: ["https://app.example.com"]
        )
        #expect(!gatekeeper.isAllowed(origin: "http://localhost:3000"))
        #expect(gatekeeper.isAllowed(origin: "https://app.example.com"))
    }
}
