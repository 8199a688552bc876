import Domain
import Foundation
import HTTPClient
import NIOCore

/// Follows a job over server-sent events; a lost connection is made anew and goes on after the last event.
struct JobFollower {
    /// How events look.
    enum Display {
        /// Each a line of JSON.
        case lines
        /// As they look in a chat.
        case text(AnswerStream)
    }

    private static let reconnectsMax = 60
    private static let reconnectDelay = Duration.milliseconds(500)

    private let client: APIClient
    private let path: String
    private var display: Display
    private var last: ServerEvent?

    init(client: APIClient, job: String, display: Display) {
        self.client = client
        self.path = "/jobs/\(job.percentEncoded)/events"
        self.display = display
    }

    /// Returns when the job has completed; throws how it ended otherwise.
    mutating func run() async throws {
        var failures = 0
        while true {
            let before = self.last
            do {
                guard let body = try await self.client.events(self.path, after: self.last?.id) else { break }
                try await self.read(body)
            } catch let failure as CommandFailure {
                // The first answer, and what the server refuses, are final; a server that starts again is waited for.
                guard before != nil, failures < Self.reconnectsMax else { throw failure }
            } catch is HTTPClientError {
                // Broken off: go on below.
            }
            if let last, last.isTerminal { break }
            failures = self.last == before ? failures + 1 : 0
            guard failures <= Self.reconnectsMax else { throw CommandFailure(message: "the connection was lost") }
            try await Task.sleep(for: Self.reconnectDelay)
        }
        try self.checkEnd()
    }

    private mutating func read(_ body: OutboundBody) async throws {
        var reader = ServerEventReader()
        for try await bytes in body {
            for event in try reader.take(bytes) {
                self.last = event
                try self.show(event)
            }
        }
    }

    private mutating func show(_ event: ServerEvent) throws {
        switch self.display {
        case .lines: Terminal.show(event.frame + "\n")
        case .text(let stream) where event.type == EventType.error.rawValue:
            Terminal.show(stream.lineEnd)
        case .text(var stream):
            Terminal.show(try stream.take(ByteBuffer(string: event.frame)))
            self.display = .text(stream)
        }
    }

    private func checkEnd() throws {
        switch self.last?.type {
        case EventType.cancelled.rawValue: throw CommandFailure(message: "the job was cancelled")
        case EventType.error.rawValue: throw CommandFailure(message: self.failure)
        default: break
        }
    }

    private var failure: String {
        let data = try? JSON.decode(JSONValue.self, from: self.last?.data ?? "")
        return data?["message"]?.string ?? "the job has failed"
    }
}
