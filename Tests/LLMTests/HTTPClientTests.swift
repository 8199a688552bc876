import Foundation
import HTTPClient
import Synchronization
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(2)))
struct HTTPClientTests {
    private func error(of work: () async throws -> Void) async -> HTTPClientError? {
        do {
            try await work()
            return nil
        } catch {
            return error as? HTTPClientError
        }
    }

    /// What a GET of the server comes to.
    private func error(
        idleTimeout: Duration,
        from serve: @escaping @Sendable (RawServer.Connection) -> Void
    ) async throws -> HTTPClientError? {
        try await withRawServer(serve) { server in
            try await withClient { client in
                await self.error {
                    var request = OutboundRequest(.get, server.url)
                    request.idleTimeout = idleTimeout
                    _ = try await client.send(request).body.collect(upTo: 1024)
                }
            }
        }
    }

    @Test func `status, headers and body come through`() async throws {
        let serve: @Sendable (RawServer.Connection) -> Void = { connection in
            connection.readRequest()
            connection.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\nX-Thing:  a b \r\nSet-Cookie: 1\r\n")
            connection.write("set-cookie: 2\r\nContent-Length: 5\r\n\r\nhello")
        }
        try await withRawServer(serve) { server in
            try await withClient { client in
                let response = try await client.send(OutboundRequest(.get, server.url + "/a?b"))
                #expect(response.status == 201)
                #expect(response.headers["x-thing"] == "a b")
                #expect(response.headers["X-THING"] == "a b")
                #expect(response.headers.values(of: "Set-Cookie") == ["1", "2"])
                #expect(response.headers["nothing"] == nil)
                #expect(try await response.body.collect(upTo: 5) == Array("hello".utf8))
            }
        }
    }

    @Test func `a request reaches the server as it was made`() async throws {
        let heads = Mutex<[String]>([])
        let serve: @Sendable (RawServer.Connection) -> Void = { connection in
            let head = connection.readRequest()
            heads.withLock { $0.append(head) }
            connection.write("HTTP/1.1 204 None\r\nConnection: close\r\n\r\n")
        }
        try await withRawServer(serve) { server in
            try await withClient { client in
                let body = [UInt8](repeating: 7, count: 3_000_000)
                let headers = [(name: "Authorization", value: "Bearer x"), (name: "X-Empty", value: "")]
                let post = OutboundRequest(.post, server.url + "/p", headers: headers, body: body)
                _ = try await client.send(post).body.collect(upTo: 0)
                _ = try await client.send(OutboundRequest(.post, server.url)).body.collect(upTo: 0)
                _ = try await client.send(OutboundRequest(.head, server.url)).body.collect(upTo: 0)
                let patch = OutboundRequest(.patch, server.url + "/q", body: Array("{}".utf8))
                _ = try await client.send(patch).body.collect(upTo: 0)
            }
        }
        let seen = heads.withLock { $0 }
        #expect(seen.count == 4)
        #expect(seen[0].hasPrefix("POST /p HTTP/1.1\r\n"))
        #expect(seen[0].contains("Content-Length: 3000000"))
        #expect(seen[0].contains("Authorization: Bearer x"))
        #expect(seen[0].contains("X-Empty:"))
        #expect(!seen[0].contains("Expect:"))
        #expect(seen[1].contains("Content-Length: 0"))
        #expect(seen[2].hasPrefix("HEAD / "))
        #expect(seen[3].hasPrefix("PATCH /q ") && seen[3].contains("Content-Length: 2"))
    }

    /// One row: what the server does once it has the request, and what that is called.
    struct Failure: CustomTestStringConvertible {
        var name: String
        var code: HTTPClientError.Code
        var idleTimeout = Duration.seconds(20)
        var serve: @Sendable (RawServer.Connection) -> Void
        var testDescription: String { self.name }
    }

    static let failures = [
        Failure(name: "a close without an answer", code: .reset) { _ in },
        Failure(name: "a reset without an answer", code: .reset) { $0.reset() },
        Failure(name: "something that is not HTTP", code: .protocolError) { $0.write("hello\r\n\r\n") },
        Failure(name: "half a body", code: .reset) {
            $0.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal")
        },
        Failure(name: "silence", code: .timeout, idleTimeout: .milliseconds(300)) {
            _ = $0.waitForClose(seconds: 20)
        },
        Failure(name: "silence in the middle", code: .timeout, idleTimeout: .milliseconds(300)) {
            $0.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal")
            _ = $0.waitForClose(seconds: 20)
        },
        Failure(name: "a body beyond the limit", code: .tooLarge) {
            $0.write("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + String(repeating: "x", count: 2000))
        },
        Failure(name: "headers beyond the limit", code: .tooLarge) {
            $0.write("HTTP/1.1 200 OK\r\n")
            let line = "X: " + String(repeating: "x", count: 8000) + "\r\n"
            for _ in 0..<30 where !$0.write(line) { return }
        },
    ]

    @Test(arguments: Self.failures)
    func `every kind of failure has its code`(failure: Failure) async throws {
        let serve: @Sendable (RawServer.Connection) -> Void = {
            $0.readRequest()
            failure.serve($0)
        }
        #expect(try await self.error(idleTimeout: failure.idleTimeout, from: serve)?.code == failure.code)
    }

    @Test func `where nobody listens there is no connection, and no name has no address`() async throws {
        let gone = try RawServer { _ in }
        gone.stop()
        try await withClient { client in
            let refused = await self.error { _ = try await client.send(OutboundRequest(.get, gone.url)) }
            #expect(refused?.code == .connect)
            let nameless = await self.error {
                _ = try await client.send(OutboundRequest(.get, "http://nowhere.invalid/"))
            }
            #expect(nameless?.code == .dns)
        }
    }

    @Test func `plain text where TLS is due is a TLS failure`() async throws {
        let serve: @Sendable (RawServer.Connection) -> Void = { $0.write("HTTP/1.1 400 Bad\r\n\r\n") }
        try await withRawServer(serve) { server in
            try await withClient { client in
                let error = await self.error {
                    _ = try await client.send(OutboundRequest(.get, "https://127.0.0.1:\(server.port)/"))
                }
                #expect(error?.code == .tls)
            }
        }
    }

    @Test(arguments: ["ftp://x/", "file:///etc/passwd", "x", "", "http://a b/", "http://a/\r\nX: y"])
    func `an odd URL is refused before anything is sent`(url: String) async throws {
        try await withClient { client in
            let error = await self.error { _ = try await client.send(OutboundRequest(.get, url)) }
            #expect(error?.code == .invalidRequest)
        }
    }

    @Test(arguments: [("X-Ok", "a\r\nEvil: b"), ("X-Ok", "a\u{0}b"), ("X Bad", "a"), ("X:Y", "a"), ("", "a")])
    func `a header cannot smuggle in another`(name: String, value: String) async throws {
        try await withClient { client in
            let request = OutboundRequest(.get, "http://127.0.0.1:1/", headers: [(name: name, value: value)])
            let error = await self.error { _ = try await client.send(request) }
            #expect(error?.code == .invalidRequest)
        }
    }

    @Test func `redirects are followed only where they were allowed, and never for a POST`() async throws {
        let serve: @Sendable (RawServer.Connection) -> Void = { connection in
            let head = connection.readRequest()
            let isMoved = head.contains(" /old ")
            connection.write(
                isMoved
                    ? "HTTP/1.1 302 Moved\r\nLocation: /new\r\nContent-Length: 3\r\nConnection: close\r\n\r\nold"
                    : "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nnew"
            )
        }
        try await withRawServer(serve) { server in
            try await withClient { client in
                var request = OutboundRequest(.get, server.url + "/old")
                #expect(try await client.send(request).status == 302)
                request.redirectsMax = 3
                let followed = try await client.send(request)
                #expect(followed.status == 200)
                #expect(try await followed.body.collect(upTo: 10) == Array("new".utf8))
                request.method = .post
                #expect(try await client.send(request).status == 302)
            }
        }
    }

    @Test func `a connection is used again`() async throws {
        try await withFakeProvider { provider in
            try await withClient { client in
                for _ in 0..<20 {
                    let response = try await client.send(OutboundRequest(.get, provider.baseURL + "/models"))
                    _ = try await response.body.collect(upTo: 10_000)
                }
            }
            #expect(provider.counters.connectionsOpened == 1)
            #expect(provider.counters.answersCompleted == 20)
        }
    }

    @Test func `a slow reader pauses the transfer and loses nothing`() async throws {
        let size = 64 * 1024 * 1024
        let sent = Mutex(0)
        let serve: @Sendable (RawServer.Connection) -> Void = { connection in
            connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            var piece = [UInt8](repeating: 0, count: 64 * 1024)
            for block in 0..<size / piece.count {
                for index in stride(from: 0, to: piece.count, by: 4096) { piece[index] = UInt8(block & 0xff) }
                guard connection.write(piece) else { return }
                sent.withLock { $0 += piece.count }
            }
        }
        try await withRawServer(serve) { server in
            try await withClient { client in
                var request = OutboundRequest(.get, server.url)
                request.bufferBytesMax = 256 * 1024
                request.idleTimeout = .seconds(1)
                let response = try await client.send(request)
                // The server fills the socket buffers, and then it is stuck until the reader comes.
                var before = -1
                try await eventually(within: .seconds(20), "the server is stuck") {
                    await dawdle(for: .milliseconds(150))
                    let now = sent.withLock { $0 }
                    defer { before = now }
                    return now == before && now > 0
                }
                #expect(sent.withLock { $0 } < size / 2)
                // The pause was longer than the idle timeout may be, and is not the server's fault.
                await dawdle(for: .milliseconds(1100))
                var received = 0
                var largest = 0
                for try await piece in response.body {
                    largest = max(largest, piece.count)
                    if let first = piece.first, received % 4096 == 0 {
                        #expect(first == UInt8(received / (64 * 1024) & 0xff))
                    }
                    received += piece.count
                }
                #expect(received == size)
                #expect(largest <= 256 * 1024 + 64 * 1024)
            }
        }
    }

    @Test func `cancelling the task closes the transfer at once`() async throws {
        let closed = Mutex(0)
        let serve: @Sendable (RawServer.Connection) -> Void = { connection in
            let head = connection.readRequest()
            if head.contains("/body") { connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal") }
            if connection.waitForClose(seconds: 10) { closed.withLock { $0 += 1 } }
        }
        try await withRawServer(serve) { server in
            try await withClient { client in
                for (index, path) in ["/head", "/body"].enumerated() {
                    let task = Task { () -> HTTPClientError? in
                        await self.error {
                            _ = try await client.send(OutboundRequest(.get, server.url + path)).body.collect(upTo: 99)
                        }
                    }
                    try await eventually(within: .seconds(30), "the request has arrived") {
                        server.connections == index + 1
                    }
                    task.cancel()
                    #expect(await task.value?.code == .cancelled)
                    try await eventually("the server sees the close") { closed.withLock { $0 } == index + 1 }
                }
            }
        }
    }

    @Test func `a cancelled reader never takes a part for the whole`() async throws {
        let serve: @Sendable (RawServer.Connection) -> Void = {
            $0.readRequest()
            $0.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        }
        try await withRawServer(serve) { server in
            try await withClient { client in
                let response = try await client.send(OutboundRequest(.get, server.url))
                let task = Task { () -> HTTPClientError? in
                    // The body is there by now; the cancellation is too.
                    try? await eventually("cancelled") { Task.isCancelled }
                    return await self.error { _ = try await response.body.collect(upTo: 99) }
                }
                task.cancel()
                #expect(await task.value?.code == .cancelled)
            }
        }
    }

    @Test func `letting go of an unread answer closes the transfer`() async throws {
        try await withFakeProvider { provider in
            try await withClient { client in
                let prompt =
                    #"{"model":"m","stream":true,"messages":[{"role":"user","content":"[[tokens=2 hang=1]]"}]}"#
                let request = OutboundRequest(.post, provider.baseURL + "/chat/completions", body: Array(prompt.utf8))
                var response: OutboundResponse? = try await client.send(request)
                #expect(response?.status == 200)
                #expect(provider.counters.answersLive == 1)
                response = nil
                try await eventually("the provider sees it") { provider.counters.answersAbandoned == 1 }
            }
        }
    }

    @Test func `shutting down ends what is under way and refuses what comes`() async throws {
        try await withRawServer({ _ = $0.waitForClose(seconds: 10) }) { server in
            let client = HTTPClient()
            let task = Task { () -> HTTPClientError? in
                await self.error { _ = try await client.send(OutboundRequest(.get, server.url)) }
            }
            try await eventually(within: .seconds(30), "the connection is there") { server.connections == 1 }
            await client.shutdown()
            #expect(await task.value?.code == .shutDown)
            let late = await self.error { _ = try await client.send(OutboundRequest(.get, server.url)) }
            #expect(late?.code == .shutDown)
            await client.shutdown()
        }
    }

    @Test func `clients come and go without leaving threads or descriptors behind`() async throws {
        func open(_ folder: String) throws -> Int { try FileManager.default.contentsOfDirectory(atPath: folder).count }
        try await withFakeProvider { provider in
            let request = OutboundRequest(.get, provider.baseURL + "/models")
            for _ in 0..<3 { try await withClient { _ = try await $0.send(request) } }
            let before = try open("/proc/self/fd")
            for _ in 0..<50 {
                // Half of them are only released, not shut down.
                try await withClient { _ = try await $0.send(request) }
                _ = try await HTTPClient().send(request).status
            }
            try await eventually(within: .seconds(10), "the descriptors are closed") {
                try open("/proc/self/fd") <= before + 30
            }
        }
    }

    @Test func `a description shows neither headers nor query nor userinfo`() {
        let headers = [(name: "Authorization", value: "Bearer secret")]
        let request = OutboundRequest(.get, "https://user:secret@host/path?key=secret", headers: headers)
        var dumped = ""
        dump(request, to: &dumped)
        for text in ["\(request)", String(reflecting: request), dumped] { #expect(!text.contains("secret")) }
        #expect("\(request)" == "GET https://host/path")
    }
}
