import Domain
import Foundation
import NIOCore
import PenguinAPI
import WebSocket

/// What a client says on `WS /chat/stream`.
enum ChatFrame {
    /// A message: the body of `POST /chat/message`, and `verbose` to see the events of the job's life too.
    case message(ChatRequest, isVerbose: Bool)
    /// `{"cancel": {"job_id"}}`
    case cancel(JobID)
    /// `{"resume": {"job_id", "after"?}}`
    case resume(JobID, after: EventID, isVerbose: Bool)
    /// `{"ping": any}`
    case ping(JSONValue)

    /// Reads a frame; throws a `PenguinError` or `JobFailure` that says what is wrong with it.
    init(_ message: WebSocketMessage) throws {
        let bytes =
            switch message {
            case .text(let text): text
            case .binary(let binary): binary
            }
        var reader: FieldReader
        do {
            reader = try FieldReader(json: Data(bytes.readableBytesView))
        } catch {
            throw JobFailure(code: "malformed_json", message: error.message, retryable: false)
        }
        let isVerbose = reader.bool("verbose") ?? false
        if let ping = reader.value("ping") {
            self = .ping(ping)
        } else if reader.has("cancel") {
            var cancel = FieldReader(reader.object("cancel") ?? [:])
            try reader.check()
            let job = JobID(rawValue: cancel.requiredString("job_id"))
            try cancel.check()
            self = .cancel(job)
        } else if reader.has("resume") {
            var resume = FieldReader(reader.object("resume") ?? [:])
            try reader.check()
            let job = JobID(rawValue: resume.requiredString("job_id"))
            let after = resume.string("after") ?? EventID.zero.description
            if EventID(after) == nil { resume.refuse("after", "must be an event's id, <epoch>-<sequence>") }
            try resume.check()
            self = .resume(job, after: EventID(after) ?? .zero, isVerbose: isVerbose)
        } else {
            self = .message(try ChatRequest(&reader), isVerbose: isVerbose)
        }
    }
}

/// Frames of the server that are no events of a job.
enum SocketFrame {
    private struct Frame<Value: Encodable>: Encodable {
        let event: String
        let data: Value
    }

    static func text(_ event: String, data: some Encodable) throws -> ByteBuffer {
        ByteBuffer(bytes: try JSON.encode(Frame(event: event, data: data)))
    }
}
