import Domain
import Events
import NIOCore

/// What a client shows that obeys the events: the text of the last iteration.
struct ClientText {
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
        switch entry.type {
        case .token: self.tokens.append((entry.id, try entry.data(as: Piece.self).token))
        case .reasoning: self.reasoning += try entry.data(as: Piece.self).token
        case .progress: self.tokens = []
        case .snapshot: self.tokens = [(entry.id, try entry.data(as: EventData.Snapshot.self).text)]
        case .truncate:
            let to = try entry.data(as: EventData.Truncate.self).to
            self.tokens.removeAll { $0.id > to }
        default: break
        }
    }
}

extension EventLog.Entry {
    func data<Value: Decodable>(as type: Value.Type) throws -> Value {
        try EventFrame(id: self.id, type: self.type, bytes: Array(self.bytes.readableBytesView)).data(as: type)
    }
}
