import NIOCore
import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(1))) struct KeepaliveStateTests {
    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    private var state: KeepaliveState {
        KeepaliveState(idleBeforePing: .seconds(10), answerWithin: .seconds(5), now: self.at(0))
    }

    @Test func `silence is asked and then given up`() {
        var state = self.state
        #expect(state.tick(now: self.at(0)) == .wait(until: self.at(10)))
        #expect(state.tick(now: self.at(10)) == .ping(thenWaitUntil: self.at(15)))
        #expect(state.tick(now: self.at(12)) == .wait(until: self.at(15)))
        #expect(state.tick(now: self.at(15)) == .dead)
    }

    @Test func `any bytes are a sign of life`() {
        var state = self.state
        state.heard(at: self.at(7))
        #expect(state.tick(now: self.at(10)) == .wait(until: self.at(17)))
        #expect(state.tick(now: self.at(17)) == .ping(thenWaitUntil: self.at(22)))
        state.heard(at: self.at(18))
        #expect(state.tick(now: self.at(22)) == .wait(until: self.at(28)))
    }
}
