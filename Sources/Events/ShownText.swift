package import Domain
import NIOCore

/// The text that a job's events have shown, kept also where a later attempt has taken it back and shown nothing yet.
package struct ShownText: Sendable, Equatable {
    package private(set) var text = ""
    package private(set) var reasoning = ""
    /// What was shown before the last `truncate` or `progress`.
    private var lost: (text: String, reasoning: String) = ("", "")

    package init() {}

    package static func == (left: ShownText, right: ShownText) -> Bool {
        left.text == right.text && left.reasoning == right.reasoning
    }

    /// The text of the events, oldest first; events that cannot be read count as none.
    init(_ frames: [EventFrame]) {
        for frame in frames { self.apply(frame) }
        if self.text.isEmpty { (self.text, self.reasoning) = self.lost }
    }

    private mutating func apply(_ frame: EventFrame) {
        switch frame.type {
        case .token: self.text += Self.piece(of: frame)
        case .reasoning: self.reasoning += Self.piece(of: frame)
        case .progress, .truncate:
            if !self.text.isEmpty { self.lost = (self.text, self.reasoning) }
            (self.text, self.reasoning) = ("", "")
        case .snapshot:
            guard let data = try? frame.data(as: EventData.Snapshot.self) else { return }
            (self.text, self.reasoning) = (data.text, data.reasoning ?? "")
        case .start, .attempt, .action, .child, .complete, .error, .cancelled: break
        }
    }

    private static func piece(of frame: EventFrame) -> String {
        struct Piece: Decodable { let token: String }
        return (try? frame.data(as: Piece.self))?.token ?? ""
    }
}

extension EventLog {
    private static let pageMax = 1024

    /// The text that the job has shown so far.
    package func shownText(of job: JobID) async throws(EventsError) -> ShownText {
        var frames: [EventFrame] = []
        var cursor = EventID.zero
        while true {
            let page = try await self.entries(of: job, after: cursor, limit: Self.pageMax)
            frames += page.map { EventFrame(id: $0.id, type: $0.type, bytes: Array($0.bytes.readableBytesView)) }
            guard page.count == Self.pageMax, let last = page.last else { return ShownText(frames) }
            cursor = last.id
        }
    }
}
