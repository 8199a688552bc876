import DequeModule
import Domain

/// The events of a run that are not in the log yet, and when they must go: the coalescing rules, without time or I/O.
///
/// Text goes when five characters have gathered or 100 ms after the first of them; any other event goes at once, and what
/// was gathered before it goes first. Text of one kind that waits together becomes one event, so that under load frames
/// hold more instead of being more.
struct PendingEvents {
    /// An event without its id, which it gets when it is sent.
    enum Item: Sendable {
        case text(EventType, String)
        case data(EventType, any Encodable & Sendable)
        /// `truncate` to where the iteration began, which is known when it is sent.
        case truncateIteration
    }

    enum Readiness: Equatable {
        case empty
        case ready
        case waiting(until: ContinuousClock.Instant)
    }

    static let charactersReady = 5
    static let delayMax = Duration.milliseconds(100)
    /// Text beyond this opens a new event, so that no frame outgrows a client's buffer.
    static let textBytesMax = 16_384

    private(set) var items: Deque<Item> = []
    private(set) var textBytes = 0
    private var firstTextAt: ContinuousClock.Instant?

    mutating func add(_ text: String, as type: EventType, at now: ContinuousClock.Instant) {
        guard !text.isEmpty else { return }
        self.textBytes += text.utf8.count
        if self.firstTextAt == nil { self.firstTextAt = now }
        if case .text(type, let gathered) = self.items.last, gathered.utf8.count < Self.textBytesMax {
            // Taken out before it grows, so that it grows in place.
            self.items.removeLast()
            var grown = gathered
            grown += text
            self.items.append(.text(type, grown))
        } else {
            self.items.append(.text(type, text))
        }
    }

    mutating func add(_ data: any Encodable & Sendable, as type: EventType) {
        self.items.append(.data(type, data))
    }

    mutating func addTruncateIteration() {
        self.items.append(.truncateIteration)
    }

    func readiness(at now: ContinuousClock.Instant) -> Readiness {
        guard let last = self.items.last else { return .empty }
        guard self.items.count == 1, case .text(_, let text) = last, let firstTextAt else { return .ready }
        if text.unicodeScalars.count >= Self.charactersReady { return .ready }
        let due = firstTextAt + Self.delayMax
        return now >= due ? .ready : .waiting(until: due)
    }

    mutating func takeAll() -> [Item] {
        defer {
            self.items.removeAll(keepingCapacity: true)
            self.textBytes = 0
            self.firstTextAt = nil
        }
        return Array(self.items)
    }
}
