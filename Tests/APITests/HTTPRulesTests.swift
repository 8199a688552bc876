import Domain
import Testing
import TestSupport

@Suite(.serialized, .timeLimit(.minutes(3)))
struct HTTPRulesTests {
    /// Every path, with the methods it takes.
    private static let paths = [
        ("/api/v1/chat/message", "POST"), ("/api/v1/chat/stream", "GET, HEAD"),
        ("/api/v1/jobs/job_x", "DELETE, GET, HEAD"),
        ("/api/v1/jobs/job_x/events", "GET, HEAD"), ("/api/v1/jobs/job_x/cancel", "POST"),
        ("/api/v1/jobs", "GET, HEAD"),
        ("/api/v1/jobs/job_x/retry", "POST"), ("/api/v1/jobs/retry", "POST"), ("/api/v1/queue", "GET, HEAD, PATCH"),
        ("/api/v1/queue/workers/w/drain", "POST"),
        ("/api/v1/conversations", "GET, HEAD"), ("/api/v1/conversations/create", "POST"),
        ("/api/v1/conversations/search", "GET, HEAD"), ("/api/v1/conversations/c", "GET, HEAD"),
        ("/api/v1/conversations/c/history", "GET, HEAD"), ("/livez", "GET, HEAD"), ("/readyz", "GET, HEAD"),
        ("/health", "GET, HEAD"), ("/api/v1/health", "GET, HEAD"), ("/", "GET, HEAD"),
    ]

    @Test func `a method that a path does not take is 405 and names those it does`() async throws {
        try await withServer { server in
            for (path, allowed) in Self.paths {
                let takes = allowed.split(separator: ", ").map(String.init)
                for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
                where !takes.contains(method) {
                    let answer = try await server.http.send(method, path)
                    #expect(answer.status == 405, "\(method) \(path)")
                    #expect(answer["allow"] == allowed, "\(method) \(path)")
                    if method != "HEAD" { #expect(answer.code == "method_not_allowed", "\(method) \(path)") }
                }
            }
        }
    }

    @Test func `HEAD answers as GET does, without the body`() async throws {
        try await withServer { server in
            for path in ["/", "/health", "/livez", "/api/v1/conversations"] {
                let head = try await server.http.send("HEAD", path)
                let get = try await server.http.get(path)
                #expect(head.status == 200, "\(path)")
                #expect(head.body.isEmpty, "\(path)")
                #expect(head["content-type"] == get["content-type"], "\(path)")
            }
            #expect(try await server.http.send("HEAD", "/nowhere").status == 404)
        }
    }

    @Test func `an unknown path is 404 in the shape of every failure`() async throws {
        try await withServer { server in
            for path in ["/nowhere", "/api/v1/", "/api/v1/queue/workers", "/api/v1/jobs/a/b/c", "/api/v2/chat/message"]
            {
                let answer = try await server.http.get(path)
                #expect(answer.status == 404, "\(path)")
                #expect(answer.code == "not_found", "\(path)")
                #expect(try answer.json["detail"]?.string?.isEmpty == false)
            }
        }
    }

    @Test func `a plain token as request id comes back, anything else is replaced`() async throws {
        try await withServer { server in
            for id in ["abc", "a.b-c_D9", String(repeating: "x", count: 128)] {
                let answer = try await server.http.get("/api/v1/jobs/none", headers: ["X-Request-Id": id])
                #expect(answer["x-request-id"] == id)
                #expect(try answer.json["request_id"]?.string == id)
            }
            for id in ["a b", "<x>", "ä", String(repeating: "x", count: 129)] {
                let answer = try await server.http.get("/livez", headers: ["X-Request-Id": id])
                #expect(answer.status == 200)
                #expect(answer["x-request-id"]?.hasPrefix("req_") == true)
            }
        }
    }

    @Test func `a page of a local origin may ask, and is told what it may`() async throws {
        try await withServer(["PENGUIN_CORS_ORIGINS": "https://app.example.com"]) { server in
            for origin in ["http://localhost:3000", "https://app.example.com"] {
                let preflight = try await server.http.send(
                    "OPTIONS",
                    "/api/v1/chat/message",
                    headers: ["Origin": origin, "Access-Control-Request-Method": "POST"]
                )
                #expect(preflight.status == 204)
                #expect(preflight["access-control-allow-origin"] == origin)
                #expect(preflight["access-control-allow-methods"]?.contains("POST") == true)
                for name in ["Content-Type", "Idempotency-Key"] {
                    #expect(preflight["access-control-allow-headers"]?.contains(name) == true)
                }
                #expect(preflight["vary"]?.contains("Origin") == true)
                let answer = try await server.http.get("/api/v1/conversations", headers: ["Origin": origin])
                #expect(answer.status == 200)
                #expect(answer["access-control-allow-origin"] == origin)
                for name in ["X-Request-Id", "Idempotent-Replayed", "Retry-After", "Location"] {
                    #expect(answer["access-control-expose-headers"]?.contains(name) == true)
                }
            }
        }
    }

    @Test func `a page of another origin is refused and told nothing`() async throws {
        try await withServer { server in
            let preflight = try await server.http.send(
                "OPTIONS",
                "/api/v1/chat/message",
                headers: ["Origin": "https://evil.com", "Access-Control-Request-Method": "POST"]
            )
            #expect(preflight["access-control-allow-origin"] == nil)
            #expect(preflight["access-control-allow-methods"] == nil)
            let answer = try await server.http.post(
                "/api/v1/chat/message",
                ["text": "hi"],
                headers: ["Origin": "https://evil.com"]
            )
            #expect(answer.status == 403)
            #expect(answer.code == "forbidden")
            #expect(answer["access-control-allow-origin"] == nil)
            #expect(try await server.http.get("/api/v1/conversations").json["total"] == .integer(0))
        }
    }

    @Test func `a request for another host is refused, but for probes`() async throws {
        try await withServer { server in
            for host in ["evil.com", "localhost.evil.com", "127.0.0.1.evil.com", "[::1].evil.com"] {
                for path in ["/", "/health", "/api/v1/conversations", "/api/v1/chat/stream", "/nowhere"] {
                    let answer = try await server.http.get(path, headers: ["Host": host])
                    #expect(answer.status == 403, "\(host) \(path)")
                }
                #expect(try await server.http.get("/livez", headers: ["Host": host]).status == 200)
            }
            #expect(try await server.http.get("/", headers: ["Host": "[::1]:8000"]).status == 200)
        }
    }

    @Test func `the socket's path without an upgrade says what it wants`() async throws {
        try await withServer { server in
            let answer = try await server.http.get("/api/v1/chat/stream")
            #expect(answer.status == 426)
            #expect(answer["upgrade"] == "websocket")
            #expect(answer.code == "upgrade_required")
        }
    }

    @Test func `health, probes and the first page say how it is`() async throws {
        try await withServer { server in
            for path in ["/health", "/api/v1/health"] {
                let health = try await server.http.get(path).json
                #expect(health["status"] == "healthy")
                for part in ["redis", "database", "workers"] { #expect(health[part]?["ok"] == .bool(true)) }
                #expect(health["model"] == "openai/fake")
                #expect(health["version"]?.string == PenguinVersion.current)
            }
            #expect(try await server.http.get("/livez").json["status"] == "alive")
            #expect(try await server.http.get("/readyz").json["status"] == "ready")
            let page = try await server.http.get("/")
            #expect(page.status == 200)
            #expect(page["content-type"]?.hasPrefix("text/html") == true)
            #expect(page["content-security-policy"]?.isEmpty == false)
            #expect(page.body.contains("/api/v1/chat/message"))
        }
    }

    @Test func `with Redis away it is alive, not ready, and says why`() async throws {
        try await withServer { server in
            try await server.redis.kill()
            #expect(try await server.http.get("/livez").status == 200)
            let ready = try await server.http.get("/readyz")
            #expect(ready.status == 503)
            let health = try await server.http.get("/health")
            #expect(health.status == 200)
            #expect(try health.json["status"] == "degraded")
            #expect(try health.json["redis"]?["ok"] == .bool(false))
            #expect(try health.json["database"]?["ok"] == .bool(true))
        }
    }
}
