import HTTPTypes
import TestSupport
import Testing

@testable import WebSocket

/// What the connection does for everything that does not become a WebSocket.
@Suite(.timeLimit(.minutes(2))) struct HTTPPartTests {
    private static let get = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

    private func answers(
        to request: String,
        limits: HTTPLimits = HTTPLimits(),
        decide: WebSocketDecider? = nil
    ) async throws -> String {
        try await withServer(limits: limits, decide: decide) { server in
            let socket = try await RawSocket.connect(port: server.port)
            try await socket.send(request)
            let head = try await socket.head()
            await socket.close()
            return head
        }
    }

    @Test func `a kept-alive connection serves several requests`() async throws {
        try await withServer { server in
            let socket = try await RawSocket.connect(port: server.port)
            for _ in 0..<3 {
                try await socket.send(Self.get)
                #expect(try await socket.head().hasPrefix("HTTP/1.1 200 OK"))
                #expect(try await socket.body(5) == "hello")
            }
            await socket.close()
        }
    }

    @Test func `pipelined requests are answered in order`() async throws {
        try await withServer { server in
            let socket = try await RawSocket.connect(port: server.port)
            try await socket.send(Self.get + "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" + Self.get)
            #expect(try await socket.head().hasPrefix("HTTP/1.1 200 OK"))
            #expect(try await socket.body(5) == "hello")
            #expect(try await socket.head().hasPrefix("HTTP/1.1 404"))
            #expect(try await socket.head().hasPrefix("HTTP/1.1 200 OK"))
            await socket.close()
        }
    }

    @Test func `a body reaches the router, and a client that waits with it is told to go on`() async throws {
        try await withServer { server in
            let socket = try await RawSocket.connect(port: server.port)
            try await socket.send(
                "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n"
            )
            #expect(try await socket.head().hasPrefix("HTTP/1.1 100 Continue"))
            try await socket.send("1234567")
            #expect(try await socket.head().hasPrefix("HTTP/1.1 200 OK"))
            #expect(try await socket.body(1) == "7")
            try await socket.send(
                "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            )
            #expect(try await socket.head().hasPrefix("HTTP/1.1 200 OK"))
            #expect(try await socket.body(1) == "3")
            await socket.close()
        }
    }

    @Test func `HEAD is answered without a body`() async throws {
        try await withServer { server in
            let socket = try await RawSocket.connect(port: server.port)
            try await socket.send("HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n" + Self.get)
            #expect(try await socket.head().hasPrefix("HTTP/1.1 404"))
            #expect(try await socket.head().hasPrefix("HTTP/1.1 200"))
            await socket.close()
        }
    }

    @Test(arguments: [("/nothing", "404"), ("/private", "401")])
    func `an upgrade that is passed on is answered by the router, and the connection closed`(
        path: String,
        status: String
    ) async throws {
        try await withServer { server in
            let socket = try await RawSocket.connect(port: server.port)
            try await socket.send(RawSocket.upgradeRequest(path: path))
            let head = try await socket.head()
            #expect(head.hasPrefix("HTTP/1.1 \(status) "))
            #expect(head.lowercased().contains("connection: close"))
            try await socket.ended()
            await socket.close()
        }
    }

    @Test func `an offer of h2c is ignored`() async throws {
        try await withServer { server in
            let socket = try await RawSocket.connect(port: server.port)
            try await socket.send(
                "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                    + "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
            )
            #expect(try await socket.head().hasPrefix("HTTP/1.1 200 OK"))
            #expect(try await socket.body(5) == "hello")
            try await socket.ended()
            await socket.close()
        }
    }

    @Test func `an offer of h2c with a body reaches the router with it`() async throws {
        let head = try await self.answers(
            to: "POST /length HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nab"
        )
        #expect(head.hasPrefix("HTTP/1.1 200 OK"))
    }

    @Test(arguments: ["8", "14", "x", ""])
    func `an unknown WebSocket version is answered 426 with the known one`(version: String) async throws {
        let head = try await self.answers(to: RawSocket.upgradeRequest(version: version))
        #expect(head.hasPrefix("HTTP/1.1 426 "))
        #expect(head.lowercased().contains("sec-websocket-version: 13"))
    }

    @Test(arguments: [nil, "", "short", "dGhlIHNhbXBsZSBub25jZQ=!", "dGhlIHNhbXBsZSBub25jZQ===="])
    func `an upgrade without a proper key is answered 400`(key: String?) async throws {
        let head = try await self.answers(to: RawSocket.upgradeRequest(key: key))
        #expect(head.hasPrefix("HTTP/1.1 400 "))
    }

    @Test func `an upgrade request with a body is an ordinary request`() async throws {
        let head = try await self.answers(to: RawSocket.upgradeRequest(headers: ["Content-Length: 2"]) + "ab")
        #expect(head.hasPrefix("HTTP/1.1 404 "))
    }

    @Test func `an upgrade on a connection that served a request is answered by the router`() async throws {
        try await withServer { server in
            let socket = try await RawSocket.connect(port: server.port)
            try await socket.send(Self.get)
            #expect(try await socket.head().hasPrefix("HTTP/1.1 200 OK"))
            #expect(try await socket.body(5) == "hello")
            try await socket.send(RawSocket.upgradeRequest())
            #expect(try await socket.head().hasPrefix("HTTP/1.1 404 "))
            try await socket.ended()
            await socket.close()
        }
    }

    @Test func `the handshake answers the key`() async throws {
        let head = try await self.answers(to: RawSocket.upgradeRequest())
        #expect(head.hasPrefix("HTTP/1.1 101 "))
        #expect(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(!head.contains("Extensions"))
    }

    @Test(arguments: [
        "nonsense\r\n\r\n", "GET / HTTP/7.3\r\n\r\n", "GET /\u{0} HTTP/1.1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nBad Header: x\r\n\r\n",
    ])
    func `a request that is no HTTP is answered 400 and the connection closed`(request: String) async throws {
        try await withServer { server in
            let socket = try await RawSocket.connect(port: server.port)
            try await socket.send(request)
            #expect(try await socket.head().hasPrefix("HTTP/1.1 400 "))
            try await socket.ended()
            await socket.close()
        }
    }

    @Test func `nonsense after a good request is answered 400 after its answer`() async throws {
        try await withServer { server in
            let socket = try await RawSocket.connect(port: server.port)
            try await socket.send(Self.get + "nonsense\r\n\r\n")
            #expect(try await socket.head().hasPrefix("HTTP/1.1 200 OK"))
            #expect(try await socket.body(5) == "hello")
            #expect(try await socket.head().hasPrefix("HTTP/1.1 400 "))
            try await socket.ended()
            await socket.close()
        }
    }

    @Test func `a head that is too big is answered 400`() async throws {
        let head = try await self.answers(
            to: "GET /hello HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 90_000))\r\n\r\n"
        )
        #expect(head.hasPrefix("HTTP/1.1 400 "))
    }

    @Test(arguments: ["", "GET /hel", "GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hel"])
    func `a head that never ends is given up`(start: String) async throws {
        let limits = HTTPLimits(idleTimeout: .milliseconds(400), headTimeout: .milliseconds(200))
        try await withServer(limits: limits) { server in
            let socket = try await RawSocket.connect(port: server.port)
            if !start.isEmpty { try await socket.send(start) }
            try await socket.ended(within: .seconds(5))
            await socket.close()
        }
    }

    @Test func `a body that never ends is given up`() async throws {
        try await withServer(limits: HTTPLimits(idleTimeout: .milliseconds(300))) { server in
            let socket = try await RawSocket.connect(port: server.port)
            try await socket.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nabc")
            try await socket.ended(within: .seconds(5))
            await socket.close()
        }
    }

    @Test func `a decision that takes too long is answered 503`() async throws {
        let head = try await self.answers(
            to: RawSocket.upgradeRequest(),
            limits: HTTPLimits(decisionTimeout: .milliseconds(100))
        ) { _, _ in
            await hang()
            return .pass
        }
        #expect(head.hasPrefix("HTTP/1.1 503 "))
    }

    @Test func `the decision sees the request and the peer's address`() async throws {
        let head = try await self.answers(to: RawSocket.upgradeRequest(path: "/a?b=c")) { request, peer in
            guard request.path == "/a?b=c", request.authority == "localhost", peer == "127.0.0.1" else { return .pass }
            return .upgrade(handler: TestServer.echo)
        }
        #expect(head.hasPrefix("HTTP/1.1 101 "))
    }
}
