import Domain
import Foundation

/// One server-sent event of a job.
struct ServerEvent: Equatable {
    let id: String
    let type: String
    let data: String

    /// The event as it stands in a job's log, and on sockets.
    var frame: String { #"{"id":"\#(self.id)","event":"\#(self.type)","data":\#(self.data)}"# }

    var isTerminal: Bool { EventType(rawValue: self.type)?.isTerminal ?? false }
}

/// Takes server-sent events from bytes as they come.
///
/// Knows what Penguin sends: `id`, `event` and `data`, comments, and lines that end with a line feed.
struct ServerEventReader {
    private static let lineBytesMax = 256 << 20

    private var line: [UInt8] = []
    private var fields: [String: String] = [:]

    /// The events that end in these bytes.
    mutating func take(_ bytes: [UInt8]) throws -> [ServerEvent] {
        var events: [ServerEvent] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            self.line += rest[..<end]
            rest = rest[rest.index(after: end)...]
            if let event = self.endLine() { events.append(event) }
        }
        self.line += rest
        guard self.line.count <= Self.lineBytesMax else { throw CommandFailure(message: "an event is too long") }
        return events
    }

    /// Takes the line that is complete; the event, when it was the empty one behind it.
    private mutating func endLine() -> ServerEvent? {
        let text = String(decoding: self.line, as: UTF8.self)
        self.line.removeAll(keepingCapacity: true)
        guard text.isEmpty else {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { self.fields[String(parts[0])] = parts[1].trimmingPrefix(" ").description }
            return nil
        }
        defer { self.fields = [:] }
        guard let id = self.fields["id"], let type = self.fields["event"], let data = self.fields["data"] else {
            return nil
        }
        return ServerEvent(id: id, type: type, data: data)
    }
}
