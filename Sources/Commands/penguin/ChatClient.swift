import Domain
import Foundation
import NIOCore
import WebSocket

/// A chat over `WS /chat/stream`, shown on the terminal; a lost connection is made anew and goes on where it was.
struct ChatClient: Sendable {
    private static let reconnectsMax = 20
    private static let reconnectDelay = Duration.milliseconds(500)

    let url: String
    let key: String?
    let model: String?
    let showsReasoning: Bool

    /// Reads messages line by line until the end of the input.
    func converse(in conversation: String?) async throws {
        var conversation = conversation
        let isTerminal = isatty(STDIN_FILENO) == 1
        while true {
            if isTerminal { Terminal.show("> ") }
            guard let line = readLine() else { break }
            guard !line.allSatisfy(\.isWhitespace) else { continue }
            conversation = try await self.say(line, in: conversation) ?? conversation
        }
        if isTerminal { Terminal.show("\n") }
    }

    /// Sends a message, shows the answer, and returns the conversation it is in.
    func say(_ text: String, in conversation: String?) async throws -> String? {
        var stream = AnswerStream(showsReasoning: self.showsReasoning)
        var opening = try self.frame(text, conversation)
        for attempt in 0...Self.reconnectsMax {
            do {
                try await self.exchange(opening, into: &stream)
                if stream.isEnded { return stream.conversation }
            } catch let error as WebSocketError where attempt == 0 && stream.job == nil {
                throw CommandFailure(message: "cannot talk to \(self.url): \(error)")
            } catch is WebSocketError {
                // Gone in the middle: go on below.
            }
            guard let resume = try stream.resumeFrame() else {
                throw CommandFailure(message: "the connection was lost before the message was accepted")
            }
            opening = resume
            try await Task.sleep(for: Self.reconnectDelay)
        }
        throw CommandFailure(message: "the connection was lost; the answer will be in the conversation")
    }

    private func exchange(_ opening: String, into stream: inout AnswerStream) async throws {
        let headers = self.key.map { [("X-API-Key", $0)] } ?? []
        stream = try await WebSocketClient.connect(url: self.url + "/api/v1/chat/stream", headers: headers) {
            [stream] socket in
            var stream = stream
            try await socket.send(text: ByteBuffer(string: opening))
            for await case .text(let frame) in socket.messages {
                Terminal.show(try stream.take(frame))
                if stream.isEnded { break }
            }
            return stream
        }
    }

    private func frame(_ text: String, _ conversation: String?) throws -> String {
        var body: [String: JSONValue] = ["text": .string(text), "include_reasoning": .bool(self.showsReasoning)]
        if let conversation { body["conversation_id"] = .string(conversation) }
        if let model { body["model"] = .string(model) }
        return try JSON.text(body)
    }
}
