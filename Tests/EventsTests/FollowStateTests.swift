import Domain
import Testing

@testable import Events

@Suite(.timeLimit(.minutes(1)))
struct FollowStateTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let cursor: String
        let live: String
        let verdict: FollowState.Verdict
        var testDescription: String { "\(self.live) after \(self.cursor)" }
    }

    @Test(arguments: [
        Case(cursor: "0-0", live: "0-1", verdict: .send),
        Case(cursor: "0-1", live: "0-1", verdict: .drop),
        Case(cursor: "0-1", live: "0-2", verdict: .send),
        Case(cursor: "0-1", live: "5-0", verdict: .gap),
        Case(cursor: "5-3", live: "5-4", verdict: .send),
        Case(cursor: "5-3", live: "5-3", verdict: .drop),
        Case(cursor: "5-3", live: "5-1", verdict: .drop),
        Case(cursor: "5-3", live: "4-9", verdict: .drop),
        Case(cursor: "5-3", live: "5-5", verdict: .gap),
        Case(cursor: "5-3", live: "6-0", verdict: .gap),
        Case(cursor: "5-3", live: "6-4", verdict: .gap),
    ])
    func `an event is sent, dropped or a gap by its id alone`(_ given: Case) throws {
        let cursor = try #require(EventID(given.cursor))
        let live = try #require(EventID(given.live))
        var state = FollowState(after: cursor)
        #expect(state.judge(live: live, .token) == given.verdict)
        #expect(state.cursor == (given.verdict == .send ? live : cursor))
        #expect(!state.isEnded)
    }

    @Test(arguments: [EventType.complete, .error, .cancelled])
    func `nothing is sent after a terminal event`(_ terminal: EventType) {
        var state = FollowState(after: .start)
        #expect(state.judge(live: EventID.start.next, terminal) == .send)
        #expect(state.isEnded)
        #expect(state.judge(live: EventID.start.next.next, .token) == .drop)
        #expect(state.judge(live: EventID(epoch: 9, sequence: 0), .token) == .drop)
    }

    @Test func `what was read from the log moves the cursor over any gap`() {
        var state = FollowState(after: .zero)
        state.sent(EventID(epoch: 7, sequence: 40), .snapshot)
        #expect(state.judge(live: EventID(epoch: 7, sequence: 40), .snapshot) == .drop)
        #expect(state.judge(live: EventID(epoch: 7, sequence: 41), .token) == .send)
    }
}
