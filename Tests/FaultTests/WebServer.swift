import Domain
import TestSupport
import Testing
import WebSocket

/// A running `penguin-web`, and the questions tests ask it.
struct WebServer: Sendable {
    /// One entry of a history, without what differs from run to run.
    struct Entry: Equatable, Sendable {
        let role: String
        let text: String
    }

    let process: PenguinProcess
    let port: Int
    /// Shown with every request.
    var key: String?

    private var headers: [String: String] { self.key.map { ["x-api-key": $0] } ?? [:] }

    func http() -> HTTPProbe { HTTPProbe(port: self.port, headers: self.headers) }

    /// Opens a chat socket.
    func chat<R: Sendable>(
        reads: Bool = true,
        configuration: WebSocketConfiguration = WebSocketConfiguration(),
        isolation: isolated (any Actor)? = #isolation,
        _ body: (ChatProbe) async throws -> R
    ) async throws -> R {
        try await withChat(
            port: self.port,
            headers: self.headers,
            reads: reads,
            configuration: configuration,
            body
        )
    }

    /// One message and its answer, on a socket of its own.
    func answer(to text: String, in conversation: String? = nil) async throws -> ChatTranscript {
        try await self.chat { chat in
            let job = try await chat.say(text, in: conversation)
            return try await chat.end(of: job)
        }
    }

    /// Follows a job to its end, on from what was seen of it, on a socket of its own.
    func follow(_ transcript: ChatTranscript, within limit: Duration = .seconds(30)) async throws -> ChatTranscript {
        try await self.chat { chat in
            try await chat.resume(transcript)
            return try await chat.end(of: transcript.jobID, within: limit)
        }
    }

    func history(of conversation: String) async throws -> [Entry] {
        let reply = try await self.http().get("/api/v1/conversations/\(conversation)/history?limit=1000")
        guard case .array(let messages)? = reply.json?["messages"] else {
            throw NotInTime(description: "no history of \(conversation): \(reply.status) \(reply.text.prefix(300))")
        }
        return messages.map { Entry(role: $0["role"]?.string ?? "", text: $0["content"]?.string ?? "") }
    }

    func job(_ id: JobID) async throws -> JSONValue {
        let reply = try await self.http().get("/api/v1/jobs/\(id)")
        guard reply.status == 200, let job = reply.json else {
            throw NotInTime(description: "no job \(id): \(reply.status) \(reply.text.prefix(300))")
        }
        return job
    }

    /// `1 with 64 slots` is what `/readyz` says of the workers.
    func liveWorkers() async throws -> Int {
        let workers = try await self.http().get("/readyz").json?["workers"]?.string ?? ""
        return workers.split(separator: " ").first.flatMap { Int($0) } ?? 0
    }
}

/// The fake provider's answer of so many tokens.
func tokens(_ count: Int) -> String {
    (0..<count).map { "tok\($0) " }.joined()
}

extension WebServer.Entry {
    static func user(_ text: String) -> Self { Self(role: "user", text: text) }
    static func assistant(_ text: String) -> Self { Self(role: "assistant", text: text) }
}

extension ChatTranscript {
    /// Records an issue unless the job came to exactly `text`, every event once, with one end.
    func expect(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        guard let problem = self.problem(expecting: text) else { return }
        Issue.record("\(problem); events: \(self.eventCounts)", sourceLocation: sourceLocation)
    }

    private var eventCounts: String {
        Dictionary(grouping: self.events) { $0.rawValue }.map { "\($0.key) \($0.value.count)" }.sorted()
            .joined(separator: ", ")
    }

    private func problem(expecting text: String) -> String? {
        if !self.faults.isEmpty { return "events out of order: \(self.faults.prefix(3))" }
        guard let terminal else { return "the job has not ended" }
        guard terminal.event == .complete else { return "the job ended with \(terminal.event): \(terminal.data)" }
        if self.response != text { return "the answer is \(self.response?.suffix(200) ?? "none")" }
        return self.text == text ? nil : "the stream came to \(self.text.count) characters: …\(self.text.suffix(200))"
    }
}
