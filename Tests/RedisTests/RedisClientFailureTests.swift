import NIOCore
import Redis
import Synchronization
import TestSupport
import Testing

/// Cancellations, deadlines, dying and lying servers.
@Suite(.timeLimit(.minutes(3))) struct RedisClientFailureTests {
    /// Waits until the server says that a client blocks in it.
    private func untilBlocked(_ observer: RedisClient) async throws {
        try await eventually("a client is blocked") {
            try await observer.send(RedisCommand("INFO", "clients")).string?.contains("blocked_clients:1") ?? false
        }
    }

    private func echo(_ client: RedisClient, _ text: String, timeout: Duration? = nil) async throws -> String? {
        try await client.send(RedisCommand("ECHO", .string(text)), timeout: timeout).string
    }

    // MARK: Giving up

    @Test func `after a cancelled command the next replies are right`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { observer in
                try await withClient(url: server.url) { client in
                    let blocked = Task {
                        await redisError { () async throws(RedisError) in
                            try await client.send(RedisCommand("BLPOP", "list", 0), timeout: .seconds(60))
                        }
                    }
                    try await self.untilBlocked(observer)
                    blocked.cancel()
                    #expect(await blocked.value?.code == .cancelled)
                    async let after = self.echo(client, "after")
                    _ = try await observer.send(RedisCommand("LPUSH", "list", "for nobody"))
                    #expect(try await after == "after")
                }
            }
        }
    }

    @Test func `a task that is cancelled already sends nothing`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { client in
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return await redisError { () async throws(RedisError) in
                        try await client.send(RedisCommand("PING"))
                    }
                }
                // The reply may win: what counts is that the task ends and the next reply is right.
                #expect([.cancelled, nil].contains(await task.value?.code))
                let reply = try await self.echo(client, "x")
                #expect(reply == "x")
            }
        }
    }

    @Test func `after a command that timed out the next replies are right`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { client in
                try await eventually("connected") { client.isConnected }
                let error = await redisError { () async throws(RedisError) in
                    try await client.send(RedisCommand("DEBUG", "SLEEP", "0.5"), timeout: .milliseconds(50))
                }
                #expect(error?.code == .timeout)
                let reply = try await self.echo(client, "after")
                #expect(reply == "after")
            }
        }
    }

    @Test func `hundreds of commands given up at random leave every other reply in its place`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { observer in
                try await withClient(url: server.url) { client in
                    for round in 0..<5 {
                        _ = try await observer.send(RedisCommand("CLIENT", "PAUSE", 60))
                        let given = await self.storm(client, round: round)
                        #expect(given.wrong == 0)
                        #expect(given.right > 0)
                        #expect(try await self.echo(client, "round \(round)") == "round \(round)")
                    }
                }
            }
        }
    }

    /// 400 echoes, some with too little time, some cancelled: how many were answered rightly and wrongly.
    private func storm(_ client: RedisClient, round: Int) async -> (right: Int, wrong: Int) {
        await withTaskGroup(of: Bool?.self) { group in
            for index in 0..<400 {
                let text = "\(round)/\(index)"
                group.addTask {
                    let timeout: Duration = index % 3 == 0 ? .milliseconds(index % 70) : .seconds(10)
                    let task = Task { try await self.echo(client, text, timeout: timeout) }
                    if index % 4 == 1 { task.cancel() }
                    return try? await task.value == text
                }
            }
            var result = (right: 0, wrong: 0)
            for await answer in group {
                if answer == true { result.right += 1 }
                if answer == false { result.wrong += 1 }
            }
            return result
        }
    }

    // MARK: Losing the server

    @Test func `commands wait for a server that comes later`() async throws {
        try await withRedis { server in
            try await server.kill()
            try await withClient(url: server.url) { client in
                async let early = self.echo(client, "early", timeout: .seconds(30))
                let error = await redisError { () async throws(RedisError) in
                    try await client.send(RedisCommand("PING"), timeout: .milliseconds(100))
                }
                #expect(error?.code == .notConnected)
                try await server.restart()
                #expect(try await early == "early")
            }
        }
    }

    @Test func `a command that was sent fails with its connection, others wait for the next one`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { client in
                let blocked = Task {
                    await redisError { () async throws(RedisError) in
                        try await client.send(RedisCommand("BLPOP", "list", 0), timeout: .seconds(60))
                    }
                }
                try await withClient(url: server.url) { try await self.untilBlocked($0) }
                try await server.kill()
                #expect(await blocked.value?.code == .connectionLost)
                async let later = self.echo(client, "later", timeout: .seconds(30))
                try await server.restart()
                #expect(try await later == "later")
            }
        }
    }

    @Test func `restarts under load never mix up replies, and the work goes on`() async throws {
        try await withRedis(appendOnly: true) { server in
            try await withClient(url: server.url) { client in
                let load = Load()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<32 { group.addTask { try await load.run(on: client, task: task) } }
                    defer { load.stop.store(true, ordering: .relaxed) }
                    for _ in 0..<4 {
                        try await load.untilAnswered(200)
                        try await server.restart()
                    }
                    try await load.untilAnswered(200)
                }
                #expect(load.wrong.load(ordering: .relaxed) == 0)
            }
        }
    }

    /// Tasks that ask for echoes, whatever happens to the server, and count what they get.
    private final class Load: Sendable {
        let stop = Atomic(false)
        let answered = Atomic(0)
        let wrong = Atomic(0)

        func run(on client: RedisClient, task: Int) async throws {
            var index = 0
            while !self.stop.load(ordering: .relaxed) {
                index += 1
                do throws(RedisError) {
                    let text = "\(task)-\(index)"
                    let reply = try await client.send(RedisCommand("ECHO", .string(text)))
                    self.answered.add(1, ordering: .relaxed)
                    if reply.string != text { self.wrong.add(1, ordering: .relaxed) }
                } catch {
                    #expect([.connectionLost, .notConnected, .timeout].contains(error.code))
                }
            }
        }

        func untilAnswered(_ count: Int) async throws {
            let before = self.answered.load(ordering: .relaxed)
            try await eventually(within: .seconds(20), "the load is answered") {
                self.answered.load(ordering: .relaxed) > before + count
            }
        }
    }

    @Test func `a server that hangs is left and found again`() async throws {
        try await withRedis { server in
            var configuration = try RedisConfiguration(url: server.url)
            configuration.commandTimeout = .milliseconds(200)
            configuration.hungAfter = .milliseconds(200)
            configuration.connectTimeout = .seconds(2)
            try await withClient(configuration) { client in
                let first = try await client.send(RedisCommand("CLIENT", "ID"), timeout: .seconds(5)).int
                server.pause()
                let error = await redisError { () async throws(RedisError) in
                    try await client.send(RedisCommand("PING"))
                }
                #expect(error?.code == .timeout)
                try await eventually("the hung connection is closed") { !client.isConnected }
                server.resume()
                let second = try await client.send(RedisCommand("CLIENT", "ID"), timeout: .seconds(20)).int
                #expect(first != second)
            }
        }
    }

    @Test func `a closed client answers everybody at once`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { client in
                let blocked = Task {
                    await redisError { () async throws(RedisError) in
                        try await client.send(RedisCommand("BLPOP", "list", 0), timeout: .seconds(60))
                    }
                }
                try await withClient(url: server.url) { try await self.untilBlocked($0) }
                await client.close()
                #expect(await blocked.value?.code == .closed)
                let error = await redisError { () async throws(RedisError) in
                    try await client.send(RedisCommand("PING"))
                }
                #expect(error?.code == .closed)
            }
        }
    }

    @Test func `run ends when its task is cancelled, connected or not`() async throws {
        try await withRedis { server in
            for url in [server.url, "unix:///nowhere/redis.sock"] {
                let client = RedisClient(try RedisConfiguration(url: url), name: "test", logger: quietLogger)
                let running = Task { try await client.run() }
                _ = try? await client.send(RedisCommand("PING"), timeout: .milliseconds(300))
                running.cancel()
                try await running.value
                let error = await redisError { () async throws(RedisError) in
                    try await client.send(RedisCommand("PING"))
                }
                #expect(error?.code == .closed)
            }
        }
    }

    // MARK: Lying servers

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", ":1\r\n", "*x\r\n", "-DENIED protected mode\r\n"])
    func `a server that is not Redis is told so and tried again`(answer: String) async throws {
        try await ScriptedServer.with { _, _ in
            answer
        } _: { server, url in
            try await withClient(url: url) { client in
                try await eventually("it is tried again") { server.connections >= 3 }
                #expect(!client.isConnected)
                let error = await redisError { () async throws(RedisError) in
                    try await client.send(RedisCommand("PING"), timeout: .milliseconds(200))
                }
                #expect(error?.code == .notConnected)
            }
        }
    }

    @Test(arguments: ["nonsense\r\n", "*1\r\n%\r\n", "$4\r\nabcdefgh\r\n"])
    func `a connection that turns to nonsense is replaced`(nonsense: String) async throws {
        try await ScriptedServer.with { connection, text in
            if text.contains("SETNAME") { return ScriptedServer.greeting }
            if connection == 1 { return nonsense }
            // One answer for each command in what was read.
            return String(repeating: "+fine\r\n", count: text.ranges(of: "ECHO").count)
        } _: { server, url in
            try await withClient(url: url) { client in
                try await eventually("connected") { client.isConnected }
                let results = Recorder<RedisError.Code?>()
                for _ in 0..<2 {
                    client.submit(batch: [RedisCommand("ECHO", "x"), RedisCommand("ECHO", "x")]) { result in
                        if case .failure(let error) = result[1] { results.add(error.code) } else { results.add(nil) }
                    }
                }
                try await eventually("a second connection") { server.connections >= 2 }
                try await eventually("both batches have ended") { results.count == 2 }
                #expect(results.values.contains(.connectionLost))
                #expect(try await client.send(RedisCommand("ECHO", "x"), timeout: .seconds(10)).string == "fine")
            }
        }
    }

    @Test func `a reply too many closes the connection before it can meet a command`() async throws {
        try await ScriptedServer.with { connection, text in
            if text.contains("SETNAME") { return ScriptedServer.greeting }
            return connection == 1 ? "+a\r\n+too many\r\n" : "+fine\r\n"
        } _: { server, url in
            try await withClient(url: url) { client in
                let first = try await client.send(RedisCommand("ECHO", "a"))
                #expect(first.string == "a")
                try await eventually("a second connection") { server.connections >= 2 }
                let second = try await client.send(RedisCommand("ECHO", "fine"), timeout: .seconds(10))
                #expect(second.string == "fine")
            }
        }
    }

    @Test func `a server that never answers the greeting is given up`() async throws {
        try await ScriptedServer.with { _, _ in
            nil
        } _: { server, url in
            var configuration = try RedisConfiguration(url: url)
            configuration.connectTimeout = .milliseconds(100)
            try await withClient(configuration) { client in
                try await eventually("it is tried again") { server.connections >= 3 }
                #expect(try await untilRefused(client, "did not answer").code == .notConnected)
            }
        }
    }

    @Test func `a reply above the bound closes the connection`() async throws {
        try await withRedis { server in
            var configuration = try RedisConfiguration(url: server.url)
            configuration.replyBytesMax = 100_000
            try await withClient(configuration) { client in
                _ = try await client.send(RedisCommand("SETRANGE", "big", 1_000_000, "x"))
                let error = await redisError { () async throws(RedisError) in
                    try await client.send(RedisCommand("GET", "big"))
                }
                #expect(error?.code == .connectionLost)
                #expect(error?.message.contains("100000") == true)
                #expect(try await self.echo(client, "after", timeout: .seconds(10)) == "after")
            }
        }
    }
}
