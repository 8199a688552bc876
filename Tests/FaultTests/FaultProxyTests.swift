import Foundation
import TestSupport
import Testing

/// The proxy that other tests take for the network.
@Suite(.timeLimit(.minutes(1)))
struct FaultProxyTests {
    @Test func `bytes pass unchanged in both directions`() async throws {
        try await withEcho { echo in
            try await withFaultProxy(to: echo.address) { proxy in
                let line = try await RawLine.connect(to: proxy)
                let text = (0..<200_000).map { "\($0) " }.joined()
                line.send(text)
                try await eventually("everything is back") { line.text.utf8.count == text.utf8.count }
                #expect(line.text == text)
                let counters = try await proxy.counters
                #expect(counters.accepted == 1)
                #expect(counters.bytes == [.toServer: text.utf8.count, .toClient: text.utf8.count])
            }
        }
    }

    @Test func `an end of one side reaches the other after all that was sent`() async throws {
        try await withEcho { echo in
            try await withFaultProxy(to: echo.address) { proxy in
                try await proxy.delay(.milliseconds(50))
                let line = try await RawLine.connect(to: proxy)
                line.send("last words")
                line.sendEnd()
                try await eventually("the end comes back") { line.ending != nil }
                #expect(line.text == "last words")
                #expect(line.ending == .end)
                try await eventually("the proxy has forgotten it") { try await proxy.counters.live == 0 }
            }
        }
    }

    @Test(arguments: FaultProxy.Direction.allCases)
    func `a delay holds each direction up by itself`(_ direction: FaultProxy.Direction) async throws {
        try await withEcho { echo in
            try await withFaultProxy(to: echo.address) { proxy in
                let line = try await RawLine.connect(to: proxy)
                try await proxy.delay(.milliseconds(300), [direction])
                let began = ContinuousClock.now
                line.send("one")
                line.send(" two")
                if direction == .toClient {
                    try await eventually("the server has it") { echo.received >= 3 }
                    #expect(began.duration(to: .now) < .milliseconds(250))
                    #expect(line.text.isEmpty)
                }
                try await eventually("it is back") { line.text == "one two" }
                let took = began.duration(to: .now)
                #expect(took >= .milliseconds(300) && took < .milliseconds(900), "\(took)")
            }
        }
    }

    @Test(arguments: [FaultProxy.Ending.reset, .finish])
    func `a cut ends every connection and no later one`(_ ending: FaultProxy.Ending) async throws {
        try await withEcho { echo in
            try await withFaultProxy(to: echo.address) { proxy in
                let lines = [try await RawLine.connect(to: proxy), try await RawLine.connect(to: proxy)]
                for line in lines { line.send("x") }
                try await eventually("both live") { lines.allSatisfy { $0.text == "x" } }
                #expect(try await proxy.cut(ending) == 2)
                try await eventually("both are over") { lines.allSatisfy { $0.ending != nil } }
                #expect(lines.map(\.ending) == (ending == .reset ? [.reset, .reset] : [.end, .end]))
                try await eventually("the server has lost them too") { echo.live == 0 }
                let next = try await RawLine.connect(to: proxy)
                next.send("y")
                try await eventually("a new one works") { next.text == "y" }
            }
        }
    }

    @Test func `a held direction is silent and the connection stays until it goes on`() async throws {
        try await withEcho { echo in
            try await withFaultProxy(to: echo.address) { proxy in
                let line = try await RawLine.connect(to: proxy)
                try await proxy.hold([.toClient])
                line.send("heard")
                try await eventually("the server has it") { echo.received == 5 }
                await dawdle(for: .milliseconds(100))
                #expect(line.text.isEmpty)
                #expect(line.ending == nil)
                try await proxy.heal()
                try await eventually("the answer is there") { line.text == "heard" }
            }
        }
    }

    @Test func `a frozen proxy accepts and passes nothing until it is healed`() async throws {
        try await withEcho { echo in
            try await withFaultProxy(to: echo.address) { proxy in
                try await proxy.hold()
                let line = try await RawLine.connect(to: proxy)
                line.send("anybody?")
                await dawdle(for: .milliseconds(100))
                #expect(echo.received == 0)
                try await proxy.heal()
                try await eventually("it goes on") { line.text == "anybody?" }
            }
        }
    }

    @Test func `a sender is slowed down while its direction is held`() async throws {
        try await withEcho { echo in
            try await withFaultProxy(to: echo.address) { proxy in
                try await proxy.hold([.toServer])
                let line = try await RawLine.connect(to: proxy)
                let text = String(repeating: "0123456789", count: 2_000_000)
                line.send(text)
                try await eventually("the sender waits") { !line.isWritable }
                try await proxy.heal()
                try await eventually(within: .seconds(10), "all is back") { line.text.utf8.count == text.utf8.count }
            }
        }
    }

    @Test func `one that refuses resets new connections and keeps the old`() async throws {
        try await withEcho { echo in
            try await withFaultProxy(to: echo.address) { proxy in
                let old = try await RawLine.connect(to: proxy)
                old.send("a")
                try await eventually("it works") { old.text == "a" }
                try await proxy.refuse()
                // The reset may come before the connection is used, or even before it is there.
                let new = try? await RawLine.connect(to: proxy)
                try await eventually("the new one is reset") { new.map { $0.ending != nil } ?? true }
                old.send("b")
                try await eventually("the old one works") { old.text == "ab" }
                #expect(try await proxy.counters.refused == 1)
            }
        }
    }

    @Test func `a limit on the rate holds`() async throws {
        try await withEcho { echo in
            try await withFaultProxy(to: echo.address) { proxy in
                try await proxy.throttle(bytesPerSecond: 100_000, [.toClient])
                let line = try await RawLine.connect(to: proxy)
                let began = ContinuousClock.now
                line.send(String(repeating: "x", count: 50_000))
                try await eventually("all is back") { line.text.utf8.count == 50_000 }
                let took = began.duration(to: .now)
                #expect(took > .milliseconds(400) && took < .seconds(2), "\(took)")
            }
        }
    }

    @Test func `a shut direction ends for its receiver while the other goes on`() async throws {
        try await withEcho(answersEnd: false) { echo in
            try await withFaultProxy(to: echo.address) { proxy in
                let line = try await RawLine.connect(to: proxy)
                line.send("a")
                try await eventually("it works") { line.text == "a" }
                try await proxy.shut(.toServer)
                try await eventually("the server reads the end") { echo.ends == 1 }
                line.send("b")
                echo.sendToAll("c")
                try await eventually("the other direction goes on") { line.text == "ac" }
                #expect(echo.received == 1)
            }
        }
    }

    @Test func `connections after a new target go there`() async throws {
        try await withEcho { first in
            try await withEcho { second in
                try await withFaultProxy(to: first.address) { proxy in
                    try await proxy.retarget(second.address)
                    let line = try await RawLine.connect(to: proxy)
                    line.send("x")
                    try await eventually("it is back") { line.text == "x" }
                    #expect(first.received == 0)
                    #expect(second.received == 1)
                }
            }
        }
    }

    @Test func `a redis-server is reached over a unix socket, and from one`() async throws {
        try await withRedis { redis in
            let path = redis.directory.appendingPathComponent("proxy.sock").path
            let inner = try await FaultProxy.start(to: .unix(path: redis.socketPath), listeningOn: .unix(path: path))
            try await withFaultProxy(to: .unix(path: path)) { proxy in
                let line = try await RawLine.connect(to: proxy)
                line.send("PING\r\n")
                try await eventually("it answers") { line.text == "+PONG\r\n" }
                try await redis.kill()
                try await eventually("its death is seen") { line.ending != nil }
                let late = try await RawLine.connect(to: proxy)
                try await eventually("nobody is there") { late.ending != nil }
            }
            await inner.stop()
        }
    }
}
