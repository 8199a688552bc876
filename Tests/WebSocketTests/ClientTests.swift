import HTTPTypes
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import WebSocket

@Suite(.timeLimit(.minutes(2))) struct ClientTests {
    @Test(arguments: [true, false])
    func `messages of both kinds and all sizes come back`(isCompressed: Bool) async throws {
        let configuration = WebSocketConfiguration(compression: isCompressed)
        try await withServer { server in
            try await WebSocketClient.connect(url: server.url, configuration: configuration) { socket in
                var messages = socket.messages.makeAsyncIterator()
                for size in [0, 1, 125, 126, 1_023, 1_024, 65_535, 65_536, 900_000] {
                    let text = ByteBuffer(string: String(repeating: "h", count: size))
                    try await socket.send(text: text)
                    #expect(await messages.next() == .text(text))
                    try await socket.send(binary: text)
                    #expect(await messages.next() == .binary(text))
                }
            }
        }
    }

    @Test func `many texts arrive in order`() async throws {
        try await withServer { server in
            try await WebSocketClient.connect(url: server.url) { socket in
                let texts = (0..<500).map { ByteBuffer(string: "number \($0)") }
                try await socket.send(texts: texts)
                try await socket.send(texts: [])
                var messages = socket.messages.makeAsyncIterator()
                for text in texts { #expect(await messages.next() == .text(text)) }
            }
        }
    }

    @Test func `a refused upgrade names the status`() async throws {
        try await withServer { server in
            for (path, status) in [("nothing", 404), ("private", 401)] {
                let error = await #expect(throws: WebSocketError.self) {
                    try await WebSocketClient.connect(url: "http://127.0.0.1:\(server.port)/\(path)") { _ in }
                }
                #expect(error?.code == .refused(status: status))
            }
        }
    }

    @Test func `headers and the path reach the server`() async throws {
        let seen = AsyncStream.makeStream(of: String.self)
        try await withServer(
            decide: { request, _ in
                seen.continuation.yield("\(request.path ?? "") \(request.headerFields[.authorization] ?? "")")
                return .upgrade(handler: TestServer.echo)
            }
        ) { server in
            let url = "ws://127.0.0.1:\(server.port)/a/b?c=d"
            try await WebSocketClient.connect(url: url, headers: [("Authorization", "Bearer x")]) { socket in
                #expect(socket.request.path == "/a/b?c=d")
            }
        }
        var iterator = seen.stream.makeAsyncIterator()
        #expect(await iterator.next() == "/a/b?c=d Bearer x")
    }

    @Test func `everything sent before a close can still be read slowly`() async throws {
        let count = 2_000
        try await withServer(handler: { socket in
            let texts = (0..<count).map { ByteBuffer(string: "\($0) " + String(repeating: "x", count: 1_000)) }
            try? await socket.send(texts: texts)
            await socket.close(code: WebSocketCloseCode(rawValue: 4_321), reason: "enough")
        }) { server in
            try await WebSocketClient.connect(url: server.url) { socket in
                var read = 0
                for await message in socket.messages {
                    #expect(String(buffer: message.payload).hasPrefix("\(read) "))
                    read += 1
                    if read % 100 == 0 { await dawdle(for: .milliseconds(2)) }
                }
                #expect(read == count)
                #expect(socket.closeCode?.rawValue == 4_321)
                _ = await #expect(throws: WebSocketError.self) {
                    try await socket.send(text: ByteBuffer(string: "late"))
                }
            }
        }
    }

    @Test func `a cancelled reader ends, and the socket is closed`() async throws {
        try await withServer { server in
            let task = Task {
                try await WebSocketClient.connect(url: server.url) { socket in
                    var count = 0
                    for await _ in socket.messages { count += 1 }
                    return Task.isCancelled ? count : -1
                }
            }
            task.cancel()
            let result = await task.result
            // Cancelled before or after the connection stood.
            if case .success(let count) = result { #expect(count == 0) }
        }
    }

    @Test func `a server that never answers is given up`() async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let error = await #expect(throws: WebSocketError.self) {
            try await WebSocketClient.connect(
                url: "ws://127.0.0.1:\(port)/",
                connectTimeout: .milliseconds(200)
            ) { _ in }
        }
        #expect(error?.code == .timedOut)
        try await listener.close()
    }

    @Test func `a server that hangs up instead of answering is a failure to connect`() async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { $0.close() }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let error = await #expect(throws: WebSocketError.self) {
            try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/") { _ in }
        }
        #expect(error?.code == .connectFailed)
        try await listener.close()
    }

    @Test func `nobody listening is a failure to connect`() async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        try await listener.close()
        let error = await #expect(throws: WebSocketError.self) {
            try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/") { _ in }
        }
        #expect(error?.code == .connectFailed)
    }

    @Test func `what the body throws is thrown, and the server sees 1001`() async throws {
        struct Mine: Error {}
        let codes = AsyncStream.makeStream(of: WebSocketCloseCode?.self)
        try await withServer(handler: { socket in
            for await _ in socket.messages {}
            codes.continuation.yield(socket.closeCode)
        }) { server in
            _ = await #expect(throws: Mine.self) {
                try await WebSocketClient.connect(url: server.url) { _ in throw Mine() }
            }
        }
        var iterator = codes.stream.makeAsyncIterator()
        #expect(await iterator.next() == .goingAway)
    }

    @Test(arguments: [
        ("ws://host", WebSocketURL.Target.host("host", port: 80), "host", "/", false),
        ("http://host:8000/a?b#c", .host("host", port: 8_000), "host:8000", "/a?b", false),
        ("wss://host?x=1", .host("host", port: 443), "host", "/?x=1", true),
        ("https://[::1]:7/p", .host("::1", port: 7), "[::1]:7", "/p", true),
        ("ws+unix:///run/p.sock:/ws", .unixSocket(path: "/run/p.sock"), "localhost", "/ws", false),
        ("ws+unix:///run/p.sock", .unixSocket(path: "/run/p.sock"), "localhost", "/", false),
    ])
    func `URLs say where to connect`(
        text: String,
        target: WebSocketURL.Target,
        authority: String,
        path: String,
        isSecure: Bool
    ) throws {
        let url = try WebSocketURL(text)
        #expect(url.target == target)
        #expect(url.authority == authority)
        #expect(url.path == path)
        #expect(url.isSecure == isSecure)
    }

    @Test(arguments: ["", "host", "ftp://host", "ws://", "ws://:80", "ws://h:0", "ws://h:x", "ws://a@h", "ws+unix://x"])
    func `URLs that lead nowhere are refused`(text: String) {
        let error = #expect(throws: WebSocketError.self) { try WebSocketURL(text) }
        #expect(error?.code == .invalidURL)
    }
}
