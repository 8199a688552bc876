import NIOCore
import Redis
import Synchronization
import TestSupport
import Testing

/// Against a real redis-server that stays up.
@Suite(.timeLimit(.minutes(2))) struct RedisClientTests {
    @Test func `64 tasks share a connection and each gets its own replies`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<64 {
                        group.addTask {
                            for index in 0..<100 {
                                let text = "\(task)-\(index)"
                                let reply = try await client.send(RedisCommand("ECHO", .string(text))).string
                                #expect(reply == text)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await connectionsNamed("test", client) == 1)
            }
        }
    }

    @Test func `commands are executed in the order of their calls`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { client in
                let counts = Recorder<Int64>()
                for _ in 0..<1000 {
                    client.submit(batch: [RedisCommand("INCR", "n"), RedisCommand("PING")]) { results in
                        if case .success(.integer(let count)) = results[0] { counts.add(count) }
                    }
                }
                try await eventually("all replies are here") { counts.count == 1000 }
                #expect(counts.values == Array(1...1000))
            }
        }
    }

    @Test func `a batch has one result per command, errors among them`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { client in
                let results = try await client.send(batch: [
                    RedisCommand("SET", "text", "x"), RedisCommand("INCR", "text"), RedisCommand("GET", "text"),
                    RedisCommand("GET", "missing"), RedisCommand("NONSENSE"),
                ])
                #expect(results.count == 5)
                #expect(results[0] == .success(.simple("OK")))
                #expect(throws: RedisError.self) { try results[1].get() }
                #expect(results[2] == .success(bulk("x")))
                #expect(results[3] == .success(.null))
                let error = #expect(throws: RedisError.self) { try results[4].get() }
                #expect(error?.code == .server)
                #expect(try await client.send(batch: []).isEmpty)
            }
        }
    }

    @Test func `an error reply is thrown with the server's words`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { client in
                let error = await redisError { () async throws(RedisError) in
                    try await client.send(RedisCommand("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"))
                }
                #expect(error?.code == .server)
                #expect(error?.serverCode == "NOGROUP")
            }
        }
    }

    @Test func `errors inside a reply stay inside`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { client in
                let results = try await client.send(batch: [
                    RedisCommand("SET", "s", "x"), RedisCommand("MULTI"), RedisCommand("INCR", "s"),
                    RedisCommand("INCR", "n"), RedisCommand("EXEC"),
                ])
                let replies = try #require(try results[4].get().array)
                guard case .error(let message) = replies[0] else {
                    Issue.record("INCR of a text fails")
                    return
                }
                #expect(message.hasPrefix("ERR"))
                #expect(replies[1] == .integer(1))
            }
        }
    }

    @Test func `any bytes and large values come back as they went`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { client in
                let all = ByteBuffer(bytes: (0...255).map { UInt8($0) })
                let large = ByteBuffer(repeating: 0x0d, count: 9_000_000)
                for value in [ByteBuffer(), all, large] {
                    _ = try await client.send(RedisCommand("SET", "k", .bytes(value)))
                    #expect(try await client.send(RedisCommand("GET", "k")).bytes == value)
                }
            }
        }
    }

    @Test func `streams are read as nested arrays`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { client in
                _ = try await client.send(
                    batch: (1...300).map { RedisCommand("XADD", "s", "1-\($0)", "frame", .string("f\($0)")) }
                )
                _ = try await client.send(RedisCommand("XGROUP", "CREATE", "s", "g", "0"))
                let reply = try await client.send(
                    RedisCommand("XREADGROUP", "GROUP", "g", "c", "COUNT", 300, "STREAMS", "s", ">")
                )
                let entries = try #require(reply.array?.first?.array?.last?.array)
                #expect(entries.count == 300)
                #expect(entries.last == .array([bulk("1-300"), .array([bulk("frame"), bulk("f300")])]))
            }
        }
    }

    @Test func `TCP, a database and a name`() async throws {
        try await withRedis(tcp: true) { server in
            let url = try #require(server.tcpURL)
            try await withClient(url: url + "/3") { client in
                _ = try await client.send(RedisCommand("SET", "k", "v"))
                let info = try await client.send(RedisCommand("CLIENT", "INFO")).string ?? ""
                #expect(info.contains(" name=test "))
                #expect(info.contains(" db=3 "))
            }
            try await withClient(url: server.url + "?db=3") { client in
                let reply = try await client.send(RedisCommand("GET", "k")).string
                #expect(reply == "v")
            }
            try await withClient(url: server.url) { client in
                let reply = try await client.send(RedisCommand("GET", "k"))
                #expect(reply == .null)
            }
        }
    }

    @Test func `an ACL user logs in`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { admin in
                _ = try await admin.send(
                    RedisCommand("ACL", "SETUSER", "app", "on", ">s:e@t", "~app:*", "+@all", "-ping", "-client")
                )
                let url = server.url.replacing("unix://", with: "unix://app:s%3Ae%40t@")
                try await withClient(url: url) { client in
                    let reply = try await client.send(RedisCommand("ACL", "WHOAMI")).string
                    #expect(reply == "app")
                    let error = await redisError { () async throws(RedisError) in
                        try await client.send(RedisCommand("GET", "other"))
                    }
                    #expect(error?.serverCode == "NOPERM")
                }
            }
        }
    }

    @Test func `a wrong password is told clearly, tried again, and works once it is right`() async throws {
        try await withRedis(arguments: ["--requirepass", "old"]) { server in
            let mine = server.url.replacing("unix://", with: "unix://:new@")
            try await withClient(url: mine) { client in
                let error = try await untilRefused(client, "WRONGPASS")
                #expect(error.code == .authentication)
                #expect(!error.description.contains("new"))
                #expect(!client.isConnected)
                try await withClient(url: server.url.replacing("unix://", with: "unix://:old@")) { admin in
                    _ = try await admin.send(RedisCommand("CONFIG", "SET", "requirepass", "new"))
                }
                #expect(try await client.send(RedisCommand("PING"), timeout: .seconds(20)).string == "PONG")
            }
        }
    }

    @Test func `a missing password is told clearly`() async throws {
        try await withRedis(arguments: ["--requirepass", "secret"]) { server in
            try await withClient(url: server.url) { client in
                let reply = try await untilRefused(client, "NOAUTH").code
                #expect(reply == .authentication)
            }
        }
    }

    @Test func `commands that break the order of replies are never sent`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { client in
                let error = await redisError { () async throws(RedisError) in
                    try await client.send(batch: [RedisCommand("PING"), RedisCommand("SUBSCRIBE", "x")])
                }
                #expect(error?.code == .unsupported)
                let reply = try await client.send(RedisCommand("PING")).string
                #expect(reply == "PONG")
            }
        }
    }

    @Test func `a full queue refuses at once`() async throws {
        var configuration = RedisConfiguration(address: .unix(path: "/nowhere/redis.sock"))
        configuration.queuedCommandsMax = 3
        let client = RedisClient(configuration, name: "test", logger: quietLogger)
        let results = Recorder<RedisError.Code>()
        let batch = Array(repeating: RedisCommand("PING"), count: 2)
        for _ in 0..<2 {
            client.submit(batch: batch) { for case .failure(let error) in $0 { results.add(error.code) } }
        }
        #expect(results.values == [.queueFull, .queueFull])
        await client.close()
        #expect(results.values == [.queueFull, .queueFull, .closed, .closed])
    }

    private func connectionsNamed(_ name: String, _ client: RedisClient) async throws -> Int {
        let list = try await client.send(RedisCommand("CLIENT", "LIST")).string ?? ""
        return list.split(separator: "\n").count { $0.contains(" name=\(name) ") }
    }
}
