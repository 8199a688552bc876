import Domain
import NIOCore
import TestSupport
import WebSocket

/// A frame of the server.
struct SocketFrame: Sendable {
    let event: String
    let id: String?
    let data: JSONValue
    let text: String

    var jobID: String? { self.data["job_id"]?.string }
    var isTerminal: Bool { ["complete", "error", "cancelled"].contains(self.event) }
}

/// One client on `WS /chat/stream`; for one task.
struct SocketProbe {
    private let socket: WebSocketConnection
    private var messages: WebSocketMessages.AsyncIterator

    init(_ socket: WebSocketConnection) {
        self.socket = socket
        self.messages = socket.messages.makeAsyncIterator()
    }

    func send(_ text: String) async throws { try await self.socket.send(text: ByteBuffer(string: text)) }

    func send(_ frame: [String: JSONValue]) async throws { try await self.send(try JSON.text(frame)) }

    func send(binary text: String) async throws { try await self.socket.send(binary: ByteBuffer(string: text)) }

    mutating func next() async throws -> SocketFrame {
        guard let message = await self.messages.next() else { throw NotInTime(description: "the socket is closed") }
        let text = String(buffer: message.payload)
        let frame = try JSON.decode(JSONValue.self, from: text)
        return SocketFrame(
            event: frame["event"]?.string ?? "",
            id: frame["id"]?.string,
            data: frame["data"] ?? .null,
            text: text
        )
    }

    /// The frames up to the first that fits.
    mutating func frames(until isLast: (SocketFrame) -> Bool) async throws -> [SocketFrame] {
        var frames = [try await self.next()]
        while let last = frames.last, !isLast(last) { frames.append(try await self.next()) }
        return frames
    }

    mutating func answer() async throws -> [SocketFrame] { try await self.frames { $0.isTerminal } }
}

extension TestServer {
    /// Opens the chat socket around `body`.
    func withSocket<Result>(
        path: String = "/api/v1/chat/stream",
        headers: [(String, String)] = [],
        _ body: (inout SocketProbe) async throws -> Result
    ) async throws -> Result {
        try await WebSocketClient.connect(url: "ws://127.0.0.1:\(self.port)\(path)", headers: headers) { socket in
            var probe = SocketProbe(socket)
            return try await body(&probe)
        }
    }
}

extension [SocketFrame] {
    /// The concatenated text of the tokens, or of the reasoning.
    func text(_ event: String = "token") -> String {
        self.filter { $0.event == event }.compactMap { $0.data["token"]?.string }.joined()
    }
}
