package import Domain
import NIOCore
import Synchronization
package import WebSocket

/// A client of `WS /chat/stream` that records everything it gets and keeps a transcript of each job.
package final class ChatProbe: Sendable {
    /// One frame of the server.
    package struct Frame: Sendable {
        package let event: String
        /// Nil for frames that are no events of a job.
        package let id: EventID?
        package let jobID: JobID?
        package let data: JSONValue
    }

    private struct State {
        var frames: [Frame] = []
        var transcripts: [JobID: ChatTranscript] = [:]
        var started: [JobID] = []
        /// Jobs whose start a caller of `say` has taken.
        var startsTaken = 0
        var isEnded = false
    }

    /// How many frames are kept; tokens are in the transcripts only.
    private static let framesMax = 100_000

    package let socket: WebSocketConnection
    private let state = Mutex(State())

    fileprivate init(_ socket: WebSocketConnection) {
        self.socket = socket
    }

    // MARK: What it says

    /// Sends a frame as it is.
    package func send(_ text: String) async throws {
        try await self.socket.send(text: ByteBuffer(string: text))
    }

    /// Sends a message without waiting for anything.
    package func submit(_ text: String, in conversation: String? = nil) async throws {
        var body: [String: JSONValue] = ["text": .string(text)]
        if let conversation { body["conversation_id"] = .string(conversation) }
        try await self.send(try JSON.text(body))
    }

    /// Sends a message and returns its job once it is accepted.
    ///
    /// Not for several callers at once.
    @discardableResult
    package func say(_ text: String, in conversation: String? = nil) async throws -> JobID {
        try await self.submit(text, in: conversation)
        return try await self.nextStarted()
    }

    /// The next job that was accepted; in the order of the messages.
    package func nextStarted(within limit: Duration = .seconds(15)) async throws -> JobID {
        var job: JobID?
        try await self.expect("a message is accepted", within: limit) { state in
            guard state.started.count > state.startsTaken else { return false }
            job = state.started[state.startsTaken]
            state.startsTaken += 1
            return true
        }
        guard let job else { throw NotInTime(description: "no job was started") }
        return job
    }

    /// Goes on with a job after what another socket has seen of it.
    package func resume(_ transcript: ChatTranscript) async throws {
        self.state.withLock { $0.transcripts[transcript.jobID] = transcript }
        try await self.send(#"{"resume":{"job_id":"\#(transcript.jobID)","after":"\#(transcript.cursor)"}}"#)
    }

    package func cancel(_ job: JobID) async throws {
        try await self.send(#"{"cancel":{"job_id":"\#(job)"}}"#)
    }

    // MARK: What it got

    /// All frames but tokens, oldest first.
    package var frames: [Frame] { self.state.withLock { $0.frames } }

    /// Whether the socket is closed and everything read.
    package var isEnded: Bool { self.state.withLock { $0.isEnded } }

    package func transcript(of job: JobID) -> ChatTranscript {
        self.state.withLock { $0.transcripts[job] } ?? ChatTranscript(job)
    }

    /// Waits until a job's transcript is as wanted.
    @discardableResult
    package func wait(
        for job: JobID,
        within limit: Duration = .seconds(30),
        _ what: String = "the job is as far as that",
        until condition: (ChatTranscript) -> Bool
    ) async throws -> ChatTranscript {
        try await self.expect("\(what) (\(job))", within: limit) { state in
            state.transcripts[job].map(condition) ?? false
        }
        return self.transcript(of: job)
    }

    /// Waits for a job's terminal event.
    @discardableResult
    package func end(of job: JobID, within limit: Duration = .seconds(30)) async throws -> ChatTranscript {
        try await self.wait(for: job, within: limit, "the job has ended") { $0.terminal != nil }
    }

    /// Waits for the first frame like that which came after the first `skipping` frames.
    package func frame(
        after skipping: Int = 0,
        within limit: Duration = .seconds(15),
        _ what: String,
        where condition: (Frame) -> Bool
    ) async throws -> Frame {
        var found: Frame?
        try await self.expect(what, within: limit) { state in
            found = state.frames.dropFirst(skipping).first(where: condition)
            return found != nil
        }
        guard let found else { throw NotInTime(description: what) }
        return found
    }

    /// Waits for the socket's end and returns its close code.
    package func closeCode(within limit: Duration = .seconds(10)) async throws -> UInt16 {
        try await eventually(within: limit, "the socket is closed") { self.socket.closeCode != nil }
        return self.socket.closeCode?.rawValue ?? 0
    }

    private func expect(
        _ what: String,
        within limit: Duration,
        _ condition: (inout State) -> Bool
    ) async throws {
        try await eventually(within: limit, what) {
            let (isTrue, isEnded) = self.state.withLock { state in
                let isEnded = state.isEnded
                return (condition(&state), isEnded)
            }
            if !isTrue, isEnded {
                let code = self.socket.closeCode?.rawValue ?? 0
                throw NotInTime(description: "the socket was closed with \(code) before this: \(what)")
            }
            return isTrue
        }
    }

    fileprivate func read() async {
        for await message in self.socket.messages {
            guard case .text(let text) = message else { continue }
            self.take(String(buffer: text))
        }
        self.state.withLock { $0.isEnded = true }
    }

    private func take(_ text: String) {
        guard let value = try? JSON.decode(JSONValue.self, from: text) else { return }
        let data = value["data"] ?? .null
        let job = data["job_id"]?.string.map { JobID(rawValue: $0) }
        let id = value["id"]?.string.flatMap { EventID($0) }
        let frame = Frame(event: value["event"]?.string ?? "", id: id, jobID: job, data: data)
        self.state.withLock { state in
            if frame.event != "token", state.frames.count < Self.framesMax { state.frames.append(frame) }
            guard let job, let id, let type = EventType(rawValue: frame.event) else { return }
            if type == .start, state.transcripts[job] == nil { state.started.append(job) }
            state.transcripts[job, default: ChatTranscript(job)].take(type, id: id, data: data)
        }
    }
}

/// Opens a chat socket for `body` and closes it afterwards; one that does not read takes what the kernel takes for it.
package func withChat<R: Sendable>(
    port: Int,
    headers: [String: String] = [:],
    reads: Bool = true,
    configuration: WebSocketConfiguration = WebSocketConfiguration(),
    isolation: isolated (any Actor)? = #isolation,
    _ body: (ChatProbe) async throws -> R
) async throws -> R {
    try await WebSocketClient.connect(
        url: "ws://127.0.0.1:\(port)/api/v1/chat/stream",
        headers: headers.map { ($0.key, $0.value) },
        configuration: configuration
    ) { socket in
        let probe = ChatProbe(socket)
        // Ends with the socket, or is cancelled here.
        let reader = reads ? Task { await probe.read() } : nil
        defer { reader?.cancel() }
        return try await body(probe)
    }
}
