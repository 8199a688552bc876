import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import WebSocket

/// How sockets end, and what happens when one side lags.
@Suite(.timeLimit(.minutes(2))) struct LifecycleTests {
    /// What a handler tells its test.
    private final class Notes: Sendable {
        struct Content {
            var received = 0
            var unsentBytesMost = 0
            var sent = 0
            var closeCode: WebSocketCloseCode?
            var isDone = false
            var wasCancelled = false
        }
        let content = Mutex(Content())

        var now: Content { self.content.withLock { $0 } }

        func note(_ change: (inout Content) -> Void) {
            self.content.withLock { change(&$0) }
        }
    }

    @Test func `the socket is closed with 1000 when its handler returns`() async throws {
        try await withServer(handler: { try? await $0.send(text: ByteBuffer(string: "bye")) }) { server in
            let socket = try await RawSocket.open(port: server.port)
            #expect(try await socket.frame().text == "bye")
            #expect(try await socket.frame().closeCode == 1000)
            try await socket.send(.close(1000))
            try await socket.ended()
            await socket.close()
        }
    }

    @Test func `a close of ours carries its code and reason and is given up after the timeout`() async throws {
        let configuration = WebSocketConfiguration(closeTimeout: .milliseconds(200))
        let notes = Notes()
        try await withServer(
            configuration: configuration,
            handler: { socket in
                await socket.close(code: .tryAgainLater, reason: String(repeating: "€", count: 60))
                notes.note { $0.isDone = true }
                let isRefused = (try? await socket.send(text: ByteBuffer(string: "late"))) == nil
                notes.note { $0.closeCode = isRefused ? socket.closeCode : nil }
            }
        ) { server in
            let socket = try await RawSocket.open(port: server.port)
            let close = try await socket.frame()
            #expect(close.closeCode == 1013)
            #expect(close.payload.count == 2 + 123)
            try await eventually("the handler goes on") { notes.now.closeCode == .tryAgainLater }
            try await socket.ended()
            await socket.close()
        }
    }

    @Test func `the handler gets what was sent before the close, and the code`() async throws {
        let notes = Notes()
        try await withServer(handler: { socket in
            for await _ in socket.messages { notes.note { $0.received += 1 } }
            notes.note { $0.closeCode = socket.closeCode }
        }) { server in
            let socket = try await RawSocket.open(port: server.port)
            try await socket.send(.text("a"), .text("b"), .text("c"), .close(4001))
            try await eventually("the end") { notes.now.closeCode?.rawValue == 4001 }
            #expect(notes.now.received == 3)
            await socket.close()
        }
    }

    @Test func `what came before a close is answered before it`() async throws {
        try await withServer(handler: { socket in
            for await message in socket.messages {
                await dawdle(for: .milliseconds(20))
                try? await socket.send(text: message.payload)
            }
        }) { server in
            let socket = try await RawSocket.open(port: server.port)
            try await socket.send(.text("a"), .text("b"), .close(1000))
            #expect(try await socket.frame().text == "a")
            #expect(try await socket.frame().text == "b")
            #expect(try await socket.frame().closeCode == 1000)
            await socket.close()
        }
    }

    @Test func `a close is answered though the handler reads nothing`() async throws {
        try await withServer(handler: { _ in await hang() }) { server in
            let silent = try await RawSocket.open(port: server.port)
            try await silent.send(.close(1000))
            #expect(try await silent.frame().closeCode == 1000)
            let talker = try await RawSocket.open(port: server.port)
            try await talker.send(.text("unread"), .close(1000))
            #expect(try await talker.frame().closeCode == 1000)
            await silent.close()
            await talker.close()
        }
    }

    @Test func `a peer that vanishes ends the messages with 1006`() async throws {
        let notes = Notes()
        try await withServer(handler: { socket in
            for await _ in socket.messages {}
            notes.note { $0.closeCode = socket.closeCode }
        }) { server in
            let socket = try await RawSocket.open(port: server.port)
            await socket.close()
            try await eventually("the end") { notes.now.closeCode == .abnormal }
        }
    }

    @Test func `a handler that does not listen is cancelled some time after the end`() async throws {
        let notes = Notes()
        try await withServer(
            configuration: WebSocketConfiguration(finishTimeout: .milliseconds(200)),
            handler: { _ in
                await hang()
                notes.note { $0.wasCancelled = Task.isCancelled }
            }
        ) { server in
            let socket = try await RawSocket.open(port: server.port)
            try await socket.send(.close(1000))
            #expect(try await socket.frame().closeCode == 1000)
            try await eventually("cancellation") { notes.now.wasCancelled }
            await socket.close()
        }
    }

    @Test func `a handler has time to finish after the end`() async throws {
        let notes = Notes()
        try await withServer(handler: { socket in
            await socket.waitForEnd()
            await dawdle(for: .milliseconds(100))
            notes.note { $0.isDone = !Task.isCancelled }
        }) { server in
            let socket = try await RawSocket.open(port: server.port)
            await socket.close()
            try await eventually("the handler's end") { notes.now.isDone }
        }
    }

    @Test func `pings are sent, and a peer that answers stays`() async throws {
        let configuration = WebSocketConfiguration(pingInterval: .seconds(1))
        try await withServer(configuration: configuration) { server in
            let socket = try await RawSocket.open(port: server.port)
            for _ in 0..<4 {
                #expect(try await socket.frame().opcode == 9)
                try await socket.send(RawFrame(opcode: 10))
            }
            #expect(!socket.isEnded)
            await socket.close()
        }
    }

    @Test func `a peer that misses two pings is cut`() async throws {
        let notes = Notes()
        try await withServer(
            configuration: WebSocketConfiguration(pingInterval: .milliseconds(100)),
            handler: { socket in
                for await _ in socket.messages {}
                notes.note { $0.closeCode = socket.closeCode }
            }
        ) { server in
            let socket = try await RawSocket.open(port: server.port)
            try await socket.ended()
            #expect(socket.bytes == [0x89, 0, 0x89, 0])
            try await eventually("the handler's end") { notes.now.closeCode == .abnormal }
            await socket.close()
        }
    }

    @Test func `a slow reader stops its sender, and loses nothing`() async throws {
        let notes = Notes()
        let count = 200_000
        try await withServer(handler: { socket in
            for number in 0..<count {
                let text = ByteBuffer(string: "\(number) " + String(repeating: "x", count: 90))
                guard (try? await socket.send(text: text)) != nil else { return }
                notes.note { content in
                    content.sent = number
                    content.unsentBytesMost = max(content.unsentBytesMost, socket.unsentBytes)
                }
            }
        }) { server in
            let socket = try await RawSocket.open(port: server.port)
            try await socket.channel.setOption(.autoRead, value: false).get()
            let sent = try await stands("the sender", past: 1_000) { notes.now.sent }
            #expect(sent < count - 1)
            try await socket.channel.setOption(.autoRead, value: true).get()
            var read = 0
            while read < count {
                let frame = try await socket.frame()
                #expect(frame.text.hasPrefix("\(read) "))
                read += 1
            }
            #expect(notes.now.unsentBytesMost <= 65_536 + 100)
            #expect(try await socket.frame().closeCode == 1000)
            await socket.close()
        }
    }

    @Test func `a peer that takes nothing is cut after the write timeout`() async throws {
        let notes = Notes()
        try await withServer(
            configuration: WebSocketConfiguration(writeTimeout: .milliseconds(200)),
            handler: { socket in
                let text = ByteBuffer(repeating: 0x61, count: 100_000)
                while (try? await socket.send(text: text)) != nil {}
                notes.note { $0.closeCode = socket.closeCode }
            }
        ) { server in
            let socket = try await RawSocket.open(port: server.port)
            try await socket.channel.setOption(.autoRead, value: false).get()
            try await eventually("the handler's end") { notes.now.closeCode == .abnormal }
            await socket.close()
        }
    }

    @Test func `a slow but steady peer is not cut`() async throws {
        let size = 4_000_000
        try await withServer(
            configuration: WebSocketConfiguration(writeTimeout: .seconds(2)),
            handler: { socket in
                for await _ in socket.messages {
                    try? await socket.send(binary: ByteBuffer(repeating: 7, count: size))
                }
            }
        ) { server in
            let socket = try await RawSocket.open(port: server.port, receiveBufferBytes: 65_536)
            // 4 KiB per look, every 2 ms or more: two seconds at least.
            try await socket.channel.setOption(.autoRead, value: false).get()
            try await socket.channel.setOption(.maxMessagesPerRead, value: 1).get()
            let allocator = FixedSizeRecvByteBufferAllocator(capacity: 4_096)
            try await socket.channel.setOption(.recvAllocator, value: allocator).get()
            let started = ContinuousClock.now
            try await socket.send(.text("go"))
            try await eventually("the whole message", within: .seconds(60)) {
                socket.channel.read()
                guard !socket.isEnded else { throw NotInTime(description: "all, only \(socket.byteCount)") }
                return socket.byteCount >= size
            }
            #expect(ContinuousClock.now - started > .seconds(2))
            await socket.close()
        }
    }

    @Test func `a peer is not read while the handler lags, and loses nothing`() async throws {
        let notes = Notes()
        let isReading = Mutex(false)
        try await withServer(handler: { socket in
            try? await eventually("leave to read") { isReading.withLock { $0 } }
            for await message in socket.messages {
                let number = message.payload.getString(at: 0, length: 6).flatMap(Int.init)
                notes.note { $0.received = $0.received == number ? $0.received + 1 : -1 }
            }
        }) { server in
            let socket = try await RawSocket.open(port: server.port)
            let sending = Task {
                for number in 0..<3_000 {
                    let digits = "\(1_000_000 + number)".dropFirst()
                    try await socket.send(.text(digits + String(repeating: "x", count: 10_000)))
                    notes.note { $0.sent = number }
                }
            }
            let sent = try await stands("the peer", past: 5) { notes.now.sent }
            #expect(sent < 2_999)
            #expect(notes.now.received == 0)
            isReading.withLock { $0 = true }
            try await sending.value
            try await eventually("every message", within: .seconds(30)) { notes.now.received == 3_000 }
            await socket.close()
        }
    }

    @Test func `pings that nobody takes the answers of stop the reading`() async throws {
        try await withServer { server in
            let socket = try await RawSocket.open(port: server.port)
            try await socket.channel.setOption(.autoRead, value: false).get()
            let pings = (0..<500).flatMap { _ in RawFrame(opcode: 9, payload: Array(repeating: 1, count: 125)).bytes }
            let notes = Notes()
            let sending = Task {
                while true {
                    try await socket.send(pings)
                    notes.note { $0.sent += 1 }
                }
            }
            _ = try await stands("the peer", past: 1) { notes.now.sent }
            await socket.close()
            await #expect(throws: (any Error).self) { try await sending.value }
        }
    }

    @Test func `a shutdown closes sockets with 1001, and the server ends`() async throws {
        // Far more than the test may take: nothing waits for it.
        let configuration = WebSocketConfiguration(closeTimeout: .seconds(60))
        let started = ContinuousClock.now
        try await withServer(configuration: configuration) { server in
            let sockets = [
                try await RawSocket.open(port: server.port), try await RawSocket.open(port: server.port),
            ]
            let unused = try await RawSocket.connect(port: server.port)
            await server.stop()
            for socket in sockets {
                #expect(try await socket.frame().closeCode == 1001)
                try await socket.send(.close(1001))
                try await socket.ended()
                await socket.close()
            }
            try await unused.ended()
            await unused.close()
        }
        #expect(ContinuousClock.now - started < .seconds(30))
    }

    @Test func `a shutdown does not wait longer than the close timeout for a silent peer`() async throws {
        let configuration = WebSocketConfiguration(closeTimeout: .milliseconds(300))
        let started = ContinuousClock.now
        try await withServer(configuration: configuration) { server in
            let socket = try await RawSocket.open(port: server.port)
            await server.stop()
            #expect(try await socket.frame().closeCode == 1001)
            try await socket.ended()
            await socket.close()
        }
        #expect(ContinuousClock.now - started < .seconds(30))
    }
}
