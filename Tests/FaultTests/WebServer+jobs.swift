import Domain
import TestSupport
import Testing

extension WebServer {
    /// Posts a message that is not waited for; `fields` are those of the body besides the text.
    func post(
        _ text: String,
        in conversation: String? = nil,
        _ fields: [String: JSONValue] = [:],
        headers: [String: String] = [:]
    ) async throws -> HTTPProbe.Reply {
        var body = fields
        body["text"] = .string(text)
        if let conversation { body["conversation_id"] = .string(conversation) }
        return try await self.http().post(
            "/api/v1/chat/message",
            json: try JSON.text(body),
            headers: headers.merging(["prefer": "respond-async"]) { own, _ in own },
            within: .seconds(60)
        )
    }

    /// Posts a message and returns its job; throws when it is not accepted.
    func accept(
        _ text: String,
        in conversation: String? = nil,
        _ fields: [String: JSONValue] = [:]
    ) async throws -> JobID {
        try Self.job(in: try await self.post(text, in: conversation, fields))
    }

    /// The job that a reply is about; throws unless it is a 202.
    static func job(in reply: HTTPProbe.Reply) throws -> JobID {
        guard reply.status == 202, let id = reply.json?["job_id"]?.string else {
            throw NotInTime(description: "not accepted: \(reply.status) \(reply.text.prefix(300))")
        }
        return JobID(rawValue: id)
    }

    /// The job once it is in `state`.
    @discardableResult
    func job(_ id: JobID, is state: JobState, within limit: Duration = .seconds(60)) async throws -> JSONValue {
        var job = JSONValue.null
        do {
            try await eventually(within: limit, "\(id) is \(state.rawValue)") {
                job = try await self.job(id)
                return job["state"]?.string == state.rawValue
            }
        } catch {
            throw NotInTime(description: "\(error): \((try? JSON.text(job)) ?? "")")
        }
        return job
    }

    /// The jobs of a list, newest first.
    func jobs(_ filter: String = "") async throws -> [JSONValue] {
        let reply = try await self.http().get("/api/v1/jobs?limit=1000\(filter)", within: .seconds(30))
        guard reply.status == 200, case .array(let jobs)? = reply.json?["jobs"] else {
            throw NotInTime(description: "no list of jobs: \(reply.status) \(reply.text.prefix(300))")
        }
        return jobs
    }

    /// The names of all events of an ended job, in order.
    func events(of id: JobID) async throws -> [String] {
        let log = try await self.http().get("/api/v1/jobs/\(id)/events", within: .seconds(30)).text
        return log.split(separator: "\n").filter { $0.hasPrefix("event: ") }.map { String($0.dropFirst(7)) }
    }

    /// Asks for what changes something, without a body.
    func change(_ method: String, _ path: String) async throws -> HTTPProbe.Reply {
        try await self.http().ask(method, "/api/v1\(path)", within: .seconds(30))
    }

    /// The id of the worker that a process is.
    func workerID(of process: PenguinProcess) async throws -> String {
        let reply = try await self.http().get("/api/v1/queue")
        guard case .array(let workers)? = reply.json?["workers"], let pid = process.pid else {
            throw NotInTime(description: "no workers: \(reply.status) \(reply.text.prefix(300))")
        }
        let worker = workers.first { $0["pid"] == .integer(Int64(pid)) }
        return try #require(worker?["worker_id"]?.string, "\(reply.text)")
    }
}
