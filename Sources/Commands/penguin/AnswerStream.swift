import Domain
import NIOCore

/// What has come of an answer so far, and how its events look on a terminal.
struct AnswerStream: Sendable {
    private struct Text: Decodable {
        let token: String
    }

    let showsReasoning: Bool
    private(set) var job: JobID?
    private(set) var conversation: String?
    private(set) var isEnded = false
    private var cursor = EventID.zero
    private var isReasoning = false

    init(showsReasoning: Bool) {
        self.showsReasoning = showsReasoning
    }

    /// What the terminal is to show for a frame; throws what the server refused.
    mutating func take(_ buffer: ByteBuffer) throws -> String {
        let bytes = Array(buffer.readableBytesView)
        guard let frame = EventFrame(parsing: bytes) else {
            throw ChatClient.Failure(message: Self.refusal(in: bytes))
        }
        self.cursor = frame.id
        self.isEnded = frame.type.isTerminal
        switch frame.type {
        case .start:
            let start = try frame.data(as: EventData.Start.self)
            self.job = start.jobID
            self.conversation = start.conversationID?.rawValue
            return ""
        case .token: return self.switched(toReasoning: false) + (try frame.data(as: Text.self).token)
        case .reasoning: return self.switched(toReasoning: true) + (try frame.data(as: Text.self).token)
        case .truncate: return "\n[the answer begins again]\n"
        case .snapshot: return "\n[so far]\n" + (try frame.data(as: EventData.Snapshot.self).text)
        case .action:
            let action = try frame.data(as: EventData.Action.self)
            return "\n[\(action.action) \(action.status)]\n"
        case .complete: return self.switched(toReasoning: false) + "\n"
        case .cancelled: return "\n[cancelled]\n"
        case .error: throw ChatClient.Failure(message: try frame.data(as: EventData.Failure.self).message)
        case .attempt, .progress: return ""
        }
    }

    /// The frame that goes on after the last event; nil when the message was not accepted yet.
    func resumeFrame() throws -> String? {
        guard let job else { return nil }
        let resume: [String: JSONValue] = [
            "job_id": .string(job.rawValue), "after": .string(self.cursor.description),
        ]
        return try JSON.text(["resume": JSONValue.object(resume)])
    }

    private mutating func switched(toReasoning isReasoning: Bool) -> String {
        guard self.isReasoning != isReasoning else { return "" }
        self.isReasoning = isReasoning
        return isReasoning ? "\u{1B}[2m" : "\u{1B}[0m\n"
    }

    private static func refusal(in bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let value = try? JSON.decode(JSONValue.self, from: text), let message = value["data"]?["message"]?.string
        else { return "the server sent what is no event: \(text.prefix(200))" }
        return message
    }
}
