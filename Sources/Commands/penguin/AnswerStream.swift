import Domain
import NIOCore

/// What has come of an answer so far, and how its events look on a terminal.
struct AnswerStream: Sendable {
    private struct Text: Decodable {
        let token: String
    }

    let showsReasoning: Bool
    /// Whether attempts and iterations are shown.
    let showsLife: Bool
    private(set) var job: JobID?
    private(set) var conversation: String?
    private(set) var isEnded = false
    private var cursor = EventID.zero
    private var isReasoning = false
    /// Whether text stands on the line, so that a note begins another.
    private var isMidLine = false

    init(showsReasoning: Bool, showsLife: Bool = false) {
        self.showsReasoning = showsReasoning
        self.showsLife = showsLife
    }

    /// What the terminal is to show for a frame; throws what the server refused.
    mutating func take(_ buffer: ByteBuffer) throws -> String {
        let bytes = Array(buffer.readableBytesView)
        guard let frame = EventFrame(parsing: bytes) else {
            throw CommandFailure(message: Self.refusal(in: bytes))
        }
        self.cursor = frame.id
        self.isEnded = frame.type.isTerminal
        let text = try self.text(of: frame)
        if let last = text.last { self.isMidLine = !last.isNewline }
        return text
    }

    private mutating func text(of frame: EventFrame) throws -> String {
        switch frame.type {
        case .start:
            let start = try frame.data(as: EventData.Start.self)
            self.job = start.jobID
            self.conversation = start.conversationID?.rawValue
            return self.life("accepted")
        case .token: return self.switched(toReasoning: false) + (try frame.data(as: Text.self).token)
        case .reasoning:
            guard self.showsReasoning else { return "" }
            return self.switched(toReasoning: true) + (try frame.data(as: Text.self).token)
        case .truncate: return self.note("the answer begins again")
        case .snapshot: return self.note("so far") + (try frame.data(as: EventData.Snapshot.self).text)
        case .action:
            let action = try frame.data(as: EventData.Action.self)
            return self.note("\(action.action) \(action.status)")
        case .child:
            let child = try frame.data(as: EventData.Child.self)
            return self.life("\(child.childID) \(child.state.rawValue)")
        case .complete: return self.switched(toReasoning: false) + "\n"
        case .cancelled: return self.note("cancelled")
        case .error: throw CommandFailure(message: try frame.data(as: EventData.Failure.self).message)
        case .attempt:
            let attempt = try frame.data(as: EventData.Attempt.self)
            return self.life("attempt \(attempt.attempt), \(attempt.reason)")
        case .progress:
            let progress = try frame.data(as: EventData.Iteration.self)
            return self.life("iteration \(progress.iteration) of \(progress.maxIterations)")
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

    /// What ends the line on which text stands; nothing otherwise.
    var lineEnd: String { self.isMidLine ? "\n" : "" }

    private func life(_ text: String) -> String { self.showsLife ? self.note(text) : "" }

    /// A line of its own.
    private func note(_ text: String) -> String { self.lineEnd + "[\(text)]\n" }

    private mutating func switched(toReasoning isReasoning: Bool) -> String {
        guard self.isReasoning != isReasoning else { return "" }
        self.isReasoning = isReasoning
        return isReasoning ? Terminal.escape(.faint) : Terminal.escape(.plain) + "\n"
    }

    private static func refusal(in bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let value = try? JSON.decode(JSONValue.self, from: text), let message = value["data"]?["message"]?.string
        else { return "the server sent what is no event: \(text.prefix(200))" }
        return message
    }
}
