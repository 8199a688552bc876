import NIOCore
import Testing

@testable import Redis

/// The subscriber's decisions; what listeners and callers are told is collected in `said`.
@Suite(.timeLimit(.minutes(1))) struct SubscriptionStateTests {
    private let said = Recorder<String>()

    private func state(listenersMax: Int = 10) -> SubscriptionState {
        var state = SubscriptionState(listenersMax: listenersMax, expectedMax: 10)
        state.connected()
        return state
    }

    private func subscribe(_ state: inout SubscriptionState, _ id: UInt64, _ channel: String) -> String {
        let said = self.said
        let outcome = state.subscribe(id, to: ByteBuffer(string: channel)) { event in
            switch event {
            case .message(let bytes): said.add("\(id) hears \(String(buffer: bytes))")
            case .interrupted: said.add("\(id) interrupted")
            case .resubscribed: said.add("\(id) resubscribed")
            }
        } acknowledge: { error in
            said.add("\(id) \(error?.code.rawValue ?? "acknowledged")")
        }
        switch outcome {
        case .now: return "now"
        case .later(let flush): return flush ? "flush" : "wait"
        case .refused(let error): return error.code.rawValue
        }
    }

    private func perform(_ orders: [SubscriptionState.Order]) {
        for order in orders {
            switch order {
            case .deliver(let listeners, let event): for listener in listeners { listener.receive(event) }
            case .answer(let listener, let error): listener.acknowledge?(error)
            case .release: break
            }
        }
    }

    private func receive(_ state: inout SubscriptionState, _ replies: RedisValue...) throws {
        var orders: [SubscriptionState.Order] = []
        defer { self.perform(orders) }
        for reply in replies { try state.receive(reply, orders: &orders) }
    }

    private func written(_ state: inout SubscriptionState) -> [String] {
        state.takeForWriting().map { bytes in
            String(buffer: bytes).split(separator: "\r\n").filter { !"*$".contains($0.first ?? "*") }
                .joined(separator: " ")
        }
    }

    private func acknowledged(_ kind: String, _ channel: String) -> RedisValue {
        .array([bulk(kind), bulk(channel), .integer(1)])
    }

    private func message(_ channel: String, _ text: String) -> RedisValue {
        .array([bulk("message"), bulk(channel), bulk(text)])
    }

    @Test func `listeners of one channel share the server's subscription`() throws {
        var state = self.state()
        #expect(self.subscribe(&state, 1, "a") == "flush")
        #expect(self.subscribe(&state, 2, "a") == "wait")
        #expect(self.written(&state) == ["SUBSCRIBE a"])
        try self.receive(&state, self.acknowledged("subscribe", "a"), self.message("a", "x"))
        #expect(self.subscribe(&state, 3, "a") == "now")
        try self.receive(&state, self.message("a", "y"))
        #expect(
            self.said.values == [
                "1 acknowledged", "2 acknowledged", "1 hears x", "2 hears x", "1 hears y", "2 hears y", "3 hears y",
            ]
        )
        let flushes = (1...4).map { state.remove($0, from: ByteBuffer(string: "a")).flush }
        #expect(flushes == [false, false, true, false])
        #expect(self.written(&state) == ["UNSUBSCRIBE a"])
        try self.receive(&state, self.acknowledged("unsubscribe", "a"))
        #expect(state.channelCount == 0)
        #expect(state.listenerCount == 0)
    }

    @Test func `an acknowledgement is not taken for that of a later subscription`() throws {
        var state = self.state()
        _ = self.subscribe(&state, 1, "a")
        _ = state.remove(1, from: ByteBuffer(string: "a"))
        _ = self.subscribe(&state, 2, "a")
        #expect(self.written(&state) == ["SUBSCRIBE a", "UNSUBSCRIBE a", "SUBSCRIBE a"])
        try self.receive(&state, self.acknowledged("subscribe", "a"), self.message("a", "early"))
        #expect(self.said.values == [])
        try self.receive(&state, self.acknowledged("unsubscribe", "a"), self.acknowledged("subscribe", "a"))
        #expect(self.said.values == ["2 acknowledged"])
    }

    @Test func `a loss interrupts those who heard, and they are told when they hear again`() throws {
        var state = self.state()
        _ = self.subscribe(&state, 1, "a")
        try self.receive(&state, self.acknowledged("subscribe", "a"))
        _ = self.subscribe(&state, 2, "b")
        _ = self.written(&state)
        let lost = RedisError(.notConnected, "gone")
        self.perform(state.disconnected(lost))
        self.perform(state.disconnected(lost))
        #expect(self.subscribe(&state, 3, "a") == "wait")
        state.connected()
        #expect(Set(self.written(&state)) == ["SUBSCRIBE a", "SUBSCRIBE b"])
        #expect(self.said.values == ["1 acknowledged", "1 interrupted"])
    }

    @Test func `resubscribed comes before the next message, and not to newcomers`() throws {
        var state = self.state()
        _ = self.subscribe(&state, 1, "a")
        try self.receive(&state, self.acknowledged("subscribe", "a"))
        self.perform(state.disconnected(RedisError(.notConnected, "gone")))
        _ = self.subscribe(&state, 2, "a")
        state.connected()
        try self.receive(&state, self.acknowledged("subscribe", "a"), self.message("a", "x"))
        #expect(
            self.said.values == [
                "1 acknowledged", "1 interrupted", "1 resubscribed", "2 acknowledged", "1 hears x", "2 hears x",
            ]
        )
    }

    @Test func `a refused channel fails its callers and can be asked for again`() throws {
        var state = self.state()
        _ = self.subscribe(&state, 1, "a")
        try self.receive(&state, .error("NOPERM no permission"))
        #expect(self.said.values == ["1 server"])
        #expect(state.listenerCount == 0)
        #expect(self.subscribe(&state, 2, "a") == "flush")
    }

    @Test func `an interrupted listener survives a refusal and returns with the next subscription`() throws {
        var state = self.state()
        _ = self.subscribe(&state, 1, "a")
        try self.receive(&state, self.acknowledged("subscribe", "a"))
        self.perform(state.disconnected(RedisError(.notConnected, "gone")))
        state.connected()
        try self.receive(&state, .error("NOPERM no permission"))
        #expect(self.subscribe(&state, 2, "a") == "flush")
        try self.receive(&state, self.acknowledged("subscribe", "a"))
        #expect(self.said.values == ["1 acknowledged", "1 interrupted", "1 resubscribed", "2 acknowledged"])
    }

    @Test func `both forms of PONG answer PING`() throws {
        var state = self.state()
        state.ping()
        state.ping()
        try self.receive(&state, .simple("PONG"), .array([bulk("pong"), bulk("")]))
        let error = #expect(throws: RedisError.self) { try self.receive(&state, .simple("PONG")) }
        #expect(error?.code == .protocolViolation)
    }

    @Test func `what nobody asked for is a violation`() {
        for reply in [
            self.acknowledged("subscribe", "a"), self.acknowledged("unsubscribe", "a"), .integer(1), .null,
            .array([.integer(1), .integer(2)]), .error("ERR"), .array([]),
        ] {
            var state = self.state()
            let error = #expect(throws: RedisError.self) { try self.receive(&state, reply) }
            #expect(error?.code == .protocolViolation)
        }
    }

    @Test func `an acknowledgement for another channel is a violation`() {
        var state = self.state()
        _ = self.subscribe(&state, 1, "a")
        #expect(throws: RedisError.self) { try self.receive(&state, self.acknowledged("subscribe", "b")) }
    }

    @Test func `listeners are bounded and closing ends all`() throws {
        var state = self.state(listenersMax: 2)
        _ = self.subscribe(&state, 1, "a")
        try self.receive(&state, self.acknowledged("subscribe", "a"))
        _ = self.subscribe(&state, 2, "b")
        #expect(self.subscribe(&state, 3, "c") == "queueFull")
        self.perform(state.close())
        self.perform(state.close())
        #expect(self.said.values == ["1 acknowledged", "1 interrupted", "2 closed"])
        #expect(self.subscribe(&state, 4, "d") == "closed")
        #expect(state.listenerCount == 0)
    }
}
