import Domain
import Events

/// What a client shows that obeys the events: the text of the last iteration.
struct ShownText {
    private var tokens: [(id: EventID, text: String)] = []
    private(set) var reasoning = ""

    init(_ entries: [EventLog.Entry]) throws {
        for entry in entries { try self.apply(entry) }
    }

    var text: String { self.tokens.map(\.text).joined() }

    private struct Piece: Decodable {
        let token: String
    }

    private mutating func apply(_ entry: EventLog.Entry) throws {
        let frame = EventFrame(parsing: Array(entry.bytes.readableBytesView))
        switch entry.type {
        case .token: self.tokens.append((entry.id, try frame?.data(as: Piece.self).token ?? ""))
        case .reasoning: self.reasoning += try frame?.data(as: Piece.self).token ?? ""
        case .progress: self.tokens = []
        case .snapshot: self.tokens = [(entry.id, try frame?.data(as: EventData.Snapshot.self).text ?? "")]
        case .truncate:
            let to = try frame?.data(as: EventData.Truncate.self).to ?? .zero
            self.tokens.removeAll { $0.id > to }
        default: break
        }
    }
}
