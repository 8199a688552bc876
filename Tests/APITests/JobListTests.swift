import Domain
import Testing
import TestSupport

@Suite(.serialized, .timeLimit(.minutes(3)))
struct JobListTests {
    private static func list(_ server: TestServer, _ query: String) async throws -> JSONValue {
        let answer = try await server.http.get("/api/v1/jobs\(query)")
        guard answer.status == 200 else { throw NotInTime(description: "\(query): \(answer.status) \(answer.body)") }
        return try answer.json
    }

    private static func ids(_ page: JSONValue) -> [String] {
        guard case .array(let jobs)? = page["jobs"] else { return [] }
        return jobs.compactMap { $0["job_id"]?.string }
    }

    @Test func `jobs are listed newest first, page by page, without results`() async throws {
        try await withServer { server in
            var all: [String] = []
            for number in 0..<5 {
                let answer = try await server.chat("hi [[say=\(number)]]")
                all.insert(try #require(answer["job_id"]?.string), at: 0)
            }
            let whole = try await Self.list(server, "")
            #expect(Self.ids(whole) == all)
            #expect(whole["total"] == .integer(5))
            #expect(whole["next_cursor"] == nil)
            var seen: [String] = []
            var cursor = ""
            for size in [2, 2, 1] {
                let page = try await Self.list(server, "?limit=2\(cursor)")
                #expect(Self.ids(page).count == size)
                #expect(page["total"] == .integer(5))
                seen += Self.ids(page)
                cursor = page["next_cursor"]?.string.map { "&cursor=\($0)" } ?? ""
            }
            #expect(seen == all)
            #expect(cursor.isEmpty)
            guard case .array(let jobs)? = whole["jobs"] else { return }
            for field in ["result", "children", "position", "progress"] { #expect(jobs[0][field] == nil, "\(field)") }
            #expect(jobs[0]["usage"]?["completion_tokens"] != nil)
            #expect(jobs[0]["links"]?["retry"]?.string == "/api/v1/jobs/\(all[0])/retry")
        }
    }

    @Test func `each filter picks its jobs, and together they pick what is in all`() async throws {
        try await withServer { server in
            let done = try await server.chat("hi [[say=ok]]", ["conversation_id": "a"])["job_id"]?.string ?? ""
            let failed = try await server.submit("hi [[error=401]]", ["conversation_id": "a"])
            try await server.job(failed, is: "failed")
            let running = try await server.submit("hi [[hang]]", ["conversation_id": "b"])
            let queued = try await server.submit("hi", ["conversation_id": "b", "priority": "high"])
            try await server.job(running, is: "running")
            for (query, ids) in [
                ("?state=failed", [failed]), ("?state=completed", [done]), ("?state=running", [running]),
                ("?state=running,queued", [queued, running]), ("?state=running&state=queued", [queued, running]),
                ("?state=queued,failed", [queued, failed]), ("?conversation_id=a", [failed, done]),
                ("?conversation_id=a&state=failed,dead", [failed]), ("?conversation_id=none", []),
                ("?kind=chat", [queued, running, failed, done]), ("?kind=workflow", []), ("?agent_id=nobody", []),
                ("?agent_id=default&state=running", [running]), ("?parent_id=\(done)", []),
            ] {
                let page = try await Self.list(server, query)
                #expect(Self.ids(page) == ids, "\(query)")
                #expect(page["total"] == .integer(Int64(ids.count)), "\(query)")
            }
        }
    }

    @Test(arguments: [
        ("state=nonsense", "scheduled, queued, dispatched, running, waiting, completed, failed, cancelled, dead"),
        ("state=", "scheduled, queued"), ("state=failed,", "scheduled, queued"),
        ("state=failed,x", "scheduled, queued"),
        ("kind=x", "chat, workflow"), ("kind=chat,workflow", "chat"), ("cursor=x", "next_cursor"),
        ("cursor=job_%20", "next_cursor"), ("cursor=conv_1", "next_cursor"), ("parent_id=x", "the id of a job"),
        ("limit=0", "from 1 to 1000"), ("limit=1001", "from 1 to 1000"), ("limit=x", "from 1 to 1000"),
    ])
    func `a parameter that cannot be is refused by name, with what is allowed`(
        _ query: String,
        _ allowed: String
    ) async throws {
        try await withServer { server in
            let answer = try await server.http.get("/api/v1/jobs?\(query)")
            #expect(answer.status == 400)
            #expect(answer.code == "bad_parameter")
            let message = try answer.json["error"]?["message"]?.string ?? ""
            #expect(message.contains("'\(query.prefix { $0 != "=" })'"))
            #expect(message.contains(allowed))
        }
    }

    @Test func `a job that waits tells its position, one that runs its progress`() async throws {
        try await withServer { server in
            let first = try await server.submit("hi [[hang]]", ["conversation_id": "c"])
            let second = try await server.submit("hi", ["conversation_id": "c"])
            let third = try await server.submit("hi", ["conversation_id": "c"])
            let running = try await server.job(first, is: "running")
            #expect(running["progress"]?["iteration"] == .integer(1))
            #expect(running["progress"]?["max_iterations"] == .integer(5))
            #expect(running["position"] == nil)
            #expect(running["children"] == .array([]))
            for (id, position) in [(second, 1), (third, 2)] {
                let job = try await server.http.get("/api/v1/jobs/\(id)").json
                #expect(job["state"] == "queued")
                #expect(job["position"] == .integer(Int64(position)))
                #expect(job["progress"] == nil)
            }
        }
    }
}
