import Domain
import Testing
import TestSupport

@testable import Events

@Suite(.timeLimit(.minutes(1)))
struct PendingEventsTests {
    private static let now = ContinuousClock.now
    private static let job = JobID()

    struct Case: Sendable, CustomTestStringConvertible {
        let texts: [String]
        let isReady: Bool
        var testDescription: String { "\(self.texts)" }
    }

    @Test(arguments: [
        Case(texts: ["abcd"], isReady: false),
        Case(texts: ["abcde"], isReady: true),
        Case(texts: ["ab", "cd"], isReady: false),
        Case(texts: ["ab", "cde"], isReady: true),
        Case(texts: ["äöüß"], isReady: false),
        Case(texts: ["äöüß€"], isReady: true),
        Case(texts: ["👍"], isReady: false),
    ])
    func `text goes when five characters have gathered`(_ given: Case) {
        var pending = PendingEvents()
        for text in given.texts { pending.add(text, as: .token, at: Self.now) }
        #expect((pending.readiness(at: Self.now) == .ready) == given.isReady)
    }

    @Test func `nothing is not ready, and empty text is nothing`() {
        var pending = PendingEvents()
        #expect(pending.readiness(at: Self.now) == .empty)
        pending.add("", as: .token, at: Self.now)
        #expect(pending.readiness(at: Self.now) == .empty)
        #expect(pending.takeAll().isEmpty)
    }

    @Test func `less text goes 100 ms after the first of it, not after the last`() {
        var pending = PendingEvents()
        pending.add("a", as: .token, at: Self.now)
        pending.add("b", as: .token, at: Self.now + .milliseconds(90))
        let due = Self.now + .milliseconds(100)
        #expect(pending.readiness(at: Self.now + .milliseconds(99)) == .waiting(until: due))
        #expect(pending.readiness(at: due) == .ready)
    }

    @Test func `the time of the first text begins anew after everything was taken`() {
        var pending = PendingEvents()
        pending.add("a", as: .token, at: Self.now)
        #expect(Self.table(pending.takeAll()) == ["token a"])
        let later = Self.now + .seconds(1)
        pending.add("b", as: .token, at: later)
        #expect(pending.readiness(at: later) == .waiting(until: later + .milliseconds(100)))
    }

    @Test func `another event goes at once, and the text before it goes first`() {
        var pending = PendingEvents()
        pending.add("a", as: .token, at: Self.now)
        pending.add(EventData.Iteration(jobID: Self.job, iteration: 1, maxIterations: 2), as: .progress)
        pending.add("b", as: .token, at: Self.now)
        #expect(pending.readiness(at: Self.now) == .ready)
        #expect(Self.table(pending.takeAll()) == ["token a", "progress", "token b"])
    }

    @Test func `tokens and reasoning gather separately and keep their order`() {
        var pending = PendingEvents()
        for (text, type) in [("a", EventType.reasoning), ("b", .reasoning), ("c", .token), ("d", .reasoning)] {
            pending.add(text, as: type, at: Self.now)
        }
        #expect(pending.readiness(at: Self.now) == .ready)
        #expect(Self.table(pending.takeAll()) == ["reasoning ab", "token c", "reasoning d"])
    }

    @Test func `text that cannot be sent grows into one event, up to the bound`() {
        var pending = PendingEvents()
        let piece = String(repeating: "x", count: 1024)
        for _ in 0..<40 { pending.add(piece, as: .token, at: Self.now) }
        #expect(pending.textBytes == 40 * 1024)
        let sizes = pending.takeAll().map { item in
            if case .text(_, let text) = item { text.utf8.count } else { 0 }
        }
        #expect(sizes.reduce(0, +) == 40 * 1024)
        #expect(sizes.count == 3)
        #expect(sizes.allSatisfy { $0 <= PendingEvents.textBytesMax })
        #expect(pending.textBytes == 0)
    }

    @Test func `a truncation separates the text before it from the text after it`() {
        var pending = PendingEvents()
        pending.add("old", as: .token, at: Self.now)
        pending.addTruncateIteration()
        pending.add("new", as: .token, at: Self.now)
        #expect(Self.table(pending.takeAll()) == ["token old", "truncate", "token new"])
    }

    private static func table(_ items: [PendingEvents.Item]) -> [String] {
        items.map { item in
            switch item {
            case .text(let type, let text): "\(type.rawValue) \(text)"
            case .data(let type, _): type.rawValue
            case .truncateIteration: "truncate"
            }
        }
    }
}
