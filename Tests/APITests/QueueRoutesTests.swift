import Domain
import Testing
import TestSupport

@Suite(.serialized, .timeLimit(.minutes(3)))
struct QueueRoutesTests {
    private static let admin = "key-of-root-0123456789"
    private static let alice = "key-of-alice-0123456789"
    private static let keys = [
        "PENGUIN_API_KEYS": "root=\(admin),alice=\(alice)", "PENGUIN_ADMIN_KEYS": "root",
    ]

    @Test func `the status counts what is open and what has ended, and shows the workers`() async throws {
        try await withServer { server in
            let failed = try await server.submit("hi [[error=401]]")
            try await server.job(failed, is: "failed")
            _ = try await server.chat("hi [[say=ok]]")
            let running = try await server.submit("hi [[hang]]", ["conversation_id": "c"])
            try await server.job(running, is: "running")
            _ = try await server.submit("hi", ["conversation_id": "c", "priority": "low"])
            _ = try await server.submit("hi", ["delay_seconds": .integer(3600)])
            let status = try await server.http.get("/api/v1/queue").json
            let states = [
                "scheduled": 1, "queued": 1, "dispatched": 0, "running": 1, "waiting": 0, "completed": 1, "failed": 1,
                "cancelled": 0, "dead": 0,
            ]
            #expect(status["states"] == .object(states.mapValues { .integer(Int64($0)) }))
            #expect(status["priorities"]?["low"] == .integer(1))
            #expect(status["priorities"]?["high"] == .integer(0))
            #expect(status["scope"] == "all")
            #expect(status["paused"] == .bool(false))
            #expect(status["throughput"]?["last_minute"] == .integer(2))
            #expect(status["oldest_waiting_seconds"] != nil)
            guard case .array(let workers)? = status["workers"], let worker = workers.first else {
                Issue.record("no workers: \(status)")
                return
            }
            #expect(workers.count == 1)
            #expect(worker["worker_id"]?.string?.hasPrefix("worker_") == true)
            #expect(worker["slots"] == status["slots"])
            #expect(worker["draining"] == .bool(false))
            for field in ["host", "pid", "version", "running", "finished", "heartbeat_age_seconds"] {
                #expect(worker[field] != nil, "\(field)")
            }
        }
    }

    @Test func `a paused queue accepts messages and begins none, until it is resumed`() async throws {
        try await withServer { server in
            let paused = try await server.http.send("PATCH", "/api/v1/queue", body: #"{"paused":true}"#)
            #expect(paused.status == 200)
            #expect(try paused.json["paused"] == .bool(true))
            let id = try await server.submit("hi [[say=ok]]")
            #expect(try await server.http.get("/api/v1/jobs/\(id)").json["state"] == "queued")
            #expect(try await server.http.get("/api/v1/queue").json["paused"] == .bool(true))
            let resumed = try await server.http.send("PATCH", "/api/v1/queue", body: #"{"paused":false}"#)
            #expect(try resumed.json["paused"] == .bool(false))
            try await server.job(id, is: "completed")
        }
    }

    @Test(arguments: [
        ("{}", 422, "validation_failed"), (#"{"paused":"yes"}"#, 422, "validation_failed"),
        (#"{"paused":null}"#, 422, "validation_failed"), ("", 400, "malformed_json"),
    ])
    func `a change of the queue that says nothing is refused`(_ body: String, _ status: Int, _ code: String)
        async throws
    {
        try await withServer { server in
            let answer = try await server.http.send("PATCH", "/api/v1/queue", body: body)
            #expect(answer.status == status)
            #expect(answer.code == code)
            #expect(try await server.http.get("/api/v1/queue").json["paused"] == .bool(false))
        }
    }

    @Test func `a worker that is drained takes no more jobs`() async throws {
        try await withServer { server in
            let unknown = try await server.http.send("POST", "/api/v1/queue/workers/worker_none/drain")
            #expect(unknown.status == 404)
            guard case .array(let workers)? = try await server.http.get("/api/v1/queue").json["workers"],
                let id = workers.first?["worker_id"]?.string
            else {
                Issue.record("no workers")
                return
            }
            let answer = try await server.http.send("POST", "/api/v1/queue/workers/\(id)/drain")
            #expect(answer.status == 202)
            #expect(try answer.json["worker_id"]?.string == id)
            #expect(try answer.json["draining"] == .bool(true))
            try await eventually(within: .seconds(30), "it is gone") {
                try await server.http.get("/api/v1/queue").json["workers"] == .array([])
            }
            // The server goes on, accepts and keeps what others may run.
            let waiting = try await server.submit("hi")
            #expect(try await server.http.get("/api/v1/queue").json["slots"] == .integer(0))
            #expect(
                ["queued", "dispatched"].contains(try await server.http.get("/api/v1/jobs/\(waiting)").json["state"])
            )
        }
    }

    @Test func `with keys only an administrator changes the queue, and others see their own figures`() async throws {
        try await withServer(Self.keys) { server in
            let root = HTTPProbe(port: server.port, headers: ["X-API-Key": Self.admin])
            let alice = HTTPProbe(port: server.port, headers: ["X-API-Key": Self.alice])
            let body: [String: JSONValue] = ["text": "hi [[say=ok]]"]
            #expect(try await root.post("/api/v1/chat/message", body).status == 200)
            for (method, path) in [("PATCH", "/api/v1/queue"), ("POST", "/api/v1/queue/workers/worker_none/drain")] {
                let refused = try await alice.send(method, path, body: #"{"paused":true}"#)
                #expect(refused.status == 403, "\(path)")
                #expect(refused.code == "admin_required", "\(path)")
            }
            let own = try await alice.get("/api/v1/queue").json
            #expect(own["scope"] == "tenant")
            #expect(own["workers"] == nil)
            #expect(own["states"]?["completed"] == .integer(0))
            #expect(own["throughput"]?["last_minute"] == .integer(0))
            #expect(own["slots"] == .integer(64))
            #expect(own["paused"] == .bool(false))
            let all = try await root.get("/api/v1/queue").json
            #expect(all["scope"] == "all")
            #expect(all["states"]?["completed"] == .integer(1))
            #expect(try await root.send("PATCH", "/api/v1/queue", body: #"{"paused":true}"#).status == 200)
            #expect(try await root.send("POST", "/api/v1/queue/workers/worker_none/drain").status == 404)
        }
    }
}
