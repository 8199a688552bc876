package import Domain

/// What a client knows of one job: its text, as `token`, `progress`, `truncate` and `snapshot` have made it, and whatever was
/// wrong with the order of its events.
package struct ChatTranscript: Sendable {
    private struct Piece {
        let id: EventID
        let text: String
        let beginsIteration: Bool
    }

    package let jobID: JobID
    /// The last event seen: where to resume.
    package private(set) var cursor = EventID.zero
    /// The data of the terminal event.
    package private(set) var terminal: (event: EventType, data: JSONValue)?
    package private(set) var events: [EventType] = []
    /// Breaches of the contract: an event twice, out of order, or after the terminal one.
    package private(set) var faults: [String] = []
    private var pieces: [Piece] = []

    package init(_ jobID: JobID) {
        self.jobID = jobID
    }

    /// The text of the last iteration.
    package var text: String {
        let begin = self.pieces.lastIndex { $0.beginsIteration } ?? 0
        return self.pieces[begin...].map(\.text).joined()
    }

    /// `complete.response`; nil before the end and for another end.
    package var response: String? {
        self.terminal?.event == .complete ? self.terminal?.data["response"]?.string : nil
    }

    /// `error.code`; nil when there was none.
    package var errorCode: String? {
        self.terminal?.event == .error ? self.terminal?.data["code"]?.string : nil
    }

    package func count(of event: EventType) -> Int { self.events.count { $0 == event } }

    /// Takes the next event.
    package mutating func take(_ event: EventType, id: EventID, data: JSONValue) {
        if id <= self.cursor { self.faults.append("\(event) \(id) after \(self.cursor)") }
        if let terminal { self.faults.append("\(event) \(id) after \(terminal.event)") }
        self.cursor = id
        self.events.append(event)
        switch event {
        case .token: self.add(data["token"]?.string ?? "", id)
        case .progress: self.add("", id, beginsIteration: true)
        case .snapshot:
            self.pieces = []
            self.add(data["text"]?.string ?? "", id)
        case .truncate: self.truncate(to: data["to"]?.string.flatMap { EventID($0) })
        case .complete, .error, .cancelled: self.terminal = (event, data)
        case .start, .attempt, .reasoning, .action, .child: break
        }
    }

    private mutating func add(_ text: String, _ id: EventID, beginsIteration: Bool = false) {
        self.pieces.append(Piece(id: id, text: text, beginsIteration: beginsIteration))
    }

    private mutating func truncate(to last: EventID?) {
        guard let last else { return self.faults.append("a truncate says not where to") }
        self.pieces.removeAll { $0.id > last }
    }
}
