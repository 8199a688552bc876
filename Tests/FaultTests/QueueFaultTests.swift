import Domain
import NIOCore
import TestSupport
import Testing

/// What the queue promises, with processes and a Redis that die under it.
@Suite(.serialized, .timeLimit(.minutes(4)))
struct QueueFaultTests {
    private static let delayed = 200

    @Test func `delayed jobs survive the death of all processes and begin when they are due`() async throws {
        try await withFleet(hasRedis: true) { fleet in
            let first = try await fleet.startWeb("--workers", "0")
            let worker = try await fleet.startWorker(seenBy: first)
            let due = try await Self.acceptDelayed(at: first)
            async let one: Void = first.process.kill()
            async let two: Void = worker.kill()
            _ = try await (one, two)
            let second = try await fleet.startWeb("--workers", "0")
            _ = try await fleet.startWorker(seenBy: second)
            let back = Timestamp.now
            try await eventually(within: .seconds(60), "all have ended") {
                try await second.jobs("&state=completed").count == Self.delayed
            }
            for job in try await second.jobs() {
                let id = job["job_id"]?.string ?? ""
                let begun = try #require(job["started_at"]?.string.flatMap { Timestamp(rfc3339: $0) })
                let runAt = try #require(due[id])
                #expect(begun >= runAt, "\(id) began \(runAt - begun) too early")
                // Far less than the hour or the restart that a lost timer would take.
                #expect(begun - max(runAt, back) < .seconds(20), "\(id) began \(begun - runAt) after it was due")
            }
        }
    }

    @Test func `a request sent forty times to two servers that die in between is one job with one answer`()
        async throws
    {
        try await withFleet(hasRedis: true) { fleet in
            var webs = [try await fleet.startWeb("--workers", "0"), try await fleet.startWeb("--workers", "0")]
            let worker = try await fleet.startWorker(seenBy: webs[0])
            var ids = try await Self.postAtOnce(to: webs)
            for process in [worker] + webs.map(\.process) { try await process.kill() }
            webs = [try await fleet.startWeb("--workers", "0"), try await fleet.startWeb("--workers", "0")]
            ids.formUnion(try await Self.postAtOnce(to: webs))
            #expect(ids.count == 1, "\(ids)")
            _ = try await fleet.startWorker(seenBy: webs[0])
            try await webs[0].job(try #require(ids.first), is: .completed)
            #expect(try await webs[1].jobs().count == 1)
            #expect(
                try await webs[1].history(of: "once") == [.user("[[tokens=50 delay=10ms]]"), .assistant(tokens(50))]
            )
        }
    }

    @Test func `a paused queue begins nothing though its worker is replaced, and then everything in order`()
        async throws
    {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            let worker = try await fleet.startWorker(seenBy: web)
            try await Self.pause(web, true)
            let prompts = (0..<5).map { "message \($0) [[echo]]" }
            var jobs: [JobID] = []
            for prompt in prompts {
                for lane in ["a", "b"] { jobs.append(try await web.accept(prompt, in: lane)) }
            }
            try await worker.kill()
            _ = try await fleet.launch(.worker)
            let began = ContinuousClock.now
            // Two leases and several ticks of the dispatcher.
            try await eventually(within: .seconds(60), "time has passed") {
                #expect(fleet.provider.counters.requests == 0)
                return began.duration(to: .now) > .seconds(4)
            }
            #expect(try await web.jobs("&state=queued,dispatched").count == jobs.count)
            try await Self.pause(web, false)
            for job in jobs { try await web.job(job, is: .completed) }
            for lane in ["a", "b"] {
                #expect(try await web.history(of: lane) == prompts.flatMap { [.user($0), .assistant($0)] })
            }
        }
    }

    @Test func `a tenant at its cap is told when to come back, and is let in when its jobs have run`() async throws {
        try await withFleet(hasRedis: true, variables: ["PENGUIN_TENANT_QUEUED_MAX": "20"]) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            var accepted = 0
            var refused = try await web.post("[[tokens=3]]", in: "c0")
            while refused.status == 202, accepted < 40 {
                accepted += 1
                refused = try await web.post("[[tokens=3]]", in: "c\(accepted)")
            }
            // What is accepted while the figures are renewed may count twice until the next ones, never not at all.
            #expect((17...20).contains(accepted))
            #expect(refused.status == 429, "\(refused.text)")
            #expect(refused.json?["error"]?["code"] == .string("queue_full"))
            let wait = try #require(refused.headers["retry-after"].flatMap { Int($0) })
            #expect((1...60).contains(wait))
            #expect(try await web.http().get("/api/v1/conversations/c\(accepted)").status == 404)
            #expect(try await web.jobs().count == accepted)
            _ = try await fleet.startWorker(seenBy: web)
            try await eventually(within: .seconds(60), "it is let in") {
                try await web.post("[[tokens=3]]", in: "c\(accepted)").status == 202
            }
            try await eventually(within: .seconds(60), "all have ended") {
                try await web.jobs("&state=completed").count == accepted + 1
            }
        }
    }

    @Test func `a Redis that is nearly full takes no new jobs and lets the running answer end`() async throws {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            _ = try await fleet.startWorker(seenBy: web)
            let redis = try #require(fleet.redis)
            try await web.chat { chat in
                let job = try await chat.say("[[tokens=400 delay=10ms]]", in: "running")
                try await chat.wait(for: job) { $0.text.contains("tok20 ") }
                let memory = try await redis.command("INFO", "memory")
                let used = try #require(memory.firstMatch(of: /used_memory:(\d+)/).flatMap { Int($0.1) })
                _ = try await redis.command("CONFIG", "SET", "maxmemory", "\(used * 10 / 9)")
                var refused: HTTPProbe.Reply?
                try await eventually(within: .seconds(30), "new jobs are refused") {
                    let reply = try await web.post("[[tokens=1]]", in: "new")
                    if reply.status != 202 { refused = reply }
                    return refused != nil
                }
                #expect(refused?.status == 503, "\(refused?.text ?? "")")
                let wait = try #require(refused?.headers["retry-after"].flatMap { Int($0) })
                #expect((1...60).contains(wait))
                #expect(chat.transcript(of: job).terminal == nil, "the answer was over too early to be tried")
                try await chat.end(of: job, within: .seconds(60)).expect(tokens(400))
                _ = try await redis.command("CONFIG", "SET", "maxmemory", "0")
                try await eventually(within: .seconds(60), "new jobs are accepted") {
                    try await web.post("[[tokens=3]]", in: "again").status == 202
                }
            }
        }
    }

    @Test func `a dead letter is listed with its reason, and once retried it completes with one end`() async throws {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            _ = try await fleet.startWorker(seenBy: web)
            let job = try await web.accept("[[error=500 times=5]]", in: "dead")
            try await web.job(job, is: .dead)
            let dead = try await web.jobs("&state=dead")
            #expect(dead.map { $0["job_id"]?.string } == [job.rawValue])
            #expect(dead.first?["error"]?["code"] == .string("provider_server_error"))
            #expect(dead.first?["error"]?["message"]?.string?.isEmpty == false)
            #expect(try await web.change("POST", "/jobs/\(job)/retry").status == 202)
            let row = try await web.job(job, is: .completed)
            #expect(row["attempt"] == .integer(1))
            #expect(row["redrives"] == .integer(1))
            #expect(row["failures"] == .integer(0) && row["lost"] == .integer(0))
            #expect(row["error"] == nil)
            let events = try await web.events(of: job)
            #expect(events.last == "complete")
            #expect(events.count { ["complete", "error", "cancelled"].contains($0) } == 1, "\(events)")
            #expect(try await web.history(of: "dead").last == .assistant(tokens(10)))
            #expect(try await web.jobs("&state=dead").isEmpty)
        }
    }

    @Test func `messages accepted while Redis is away for long are answered in order when it is back`() async throws {
        try await withFleet(hasRedis: true, appendOnly: false) { fleet in
            let web = try await fleet.startWeb("--workers", "0")
            _ = try await fleet.startWorker(seenBy: web)
            let redis = try #require(fleet.redis)
            try await redis.kill()
            let away = ContinuousClock.now
            try await withThrowingTaskGroup { group in
                for lane in 0..<5 {
                    group.addTask {
                        for index in 0..<10 { _ = try await web.accept(Self.prompt(index), in: "away\(lane)") }
                    }
                }
                try await group.waitForAll()
            }
            try await eventually(within: .seconds(30), "Redis was away") { away.duration(to: .now) > .seconds(15) }
            try await redis.restart()
            try await eventually(within: .seconds(60), "all have ended") {
                try await web.jobs("&state=completed").count == 50
            }
            for lane in 0..<5 {
                let expected = (0..<10).flatMap { index -> [WebServer.Entry] in
                    [.user(Self.prompt(index)), .assistant(Self.prompt(index))]
                }
                #expect(try await web.history(of: "away\(lane)") == expected)
            }
        }
    }

    private static func prompt(_ index: Int) -> String { "message \(index) [[echo]]" }

    /// Accepts jobs that are due in the next seconds, and returns when.
    private static func acceptDelayed(at web: WebServer) async throws -> [String: Timestamp] {
        try await withThrowingTaskGroup { group in
            for lane in 0..<8 {
                group.addTask {
                    var due: [String: Timestamp] = [:]
                    for index in stride(from: lane, to: Self.delayed, by: 8) {
                        let delay = JSONValue.number(1 + Double(index % 21) / 10)
                        let reply = try await web.post("[[tokens=2]]", in: nil, ["delay_seconds": delay])
                        let id = try WebServer.job(in: reply)
                        due[id.rawValue] = reply.json?["run_at"]?.string.flatMap { Timestamp(rfc3339: $0) }
                    }
                    return due
                }
            }
            return try await group.reduce(into: [:]) { all, some in all.merge(some) { first, _ in first } }
        }
    }

    /// Sends one request twenty times at once, to all servers in turn, and returns the jobs that it came to.
    private static func postAtOnce(to webs: [WebServer]) async throws -> Set<JobID> {
        try await withThrowingTaskGroup { group in
            for index in 0..<20 {
                let web = webs[index % webs.count]
                group.addTask {
                    let reply = try await web.post(
                        "[[tokens=50 delay=10ms]]",
                        in: "once",
                        headers: ["idempotency-key": "order-4711"]
                    )
                    return try WebServer.job(in: reply)
                }
            }
            return try await group.reduce(into: []) { ids, id in ids.insert(id) }
        }
    }

    private static func pause(_ web: WebServer, _ isPaused: Bool) async throws {
        let reply = try await web.http().ask(
            "PATCH",
            "/api/v1/queue",
            body: ByteBuffer(string: #"{"paused":\#(isPaused)}"#),
            headers: ["content-type": "application/json"]
        )
        #expect(reply.status == 200 && reply.json?["paused"] == .bool(isPaused), "\(reply.text)")
    }
}
