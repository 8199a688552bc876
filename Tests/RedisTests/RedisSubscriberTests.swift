import NIOCore
import Redis
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct RedisSubscriberTests {
    private func message(_ text: String) -> RedisSubscriptionEvent { .message(ByteBuffer(string: text)) }

    private func withBoth(
        _ server: RedisServer,
        adjust: (inout RedisConfiguration) -> Void = { _ in },
        _ body: (RedisSubscriber, RedisClient) async throws -> Void
    ) async throws {
        var configuration = try RedisConfiguration(url: server.url)
        adjust(&configuration)
        try await withSubscriber(configuration) { subscriber in
            try await withClient(url: server.url) { client in try await body(subscriber, client) }
        }
    }

    private func publish(_ client: RedisClient, _ channel: String, _ text: String) async throws -> Int64? {
        try await client.send(RedisCommand("PUBLISH", .string(channel), .string(text)), timeout: .seconds(10)).int
    }

    private func serverChannels(_ client: RedisClient) async throws -> Int? {
        try await client.send(RedisCommand("PUBSUB", "CHANNELS")).array?.count
    }

    @Test func `what is published after subscribe has returned is never missed`() async throws {
        try await withRedis { server in
            try await self.withBoth(server) { subscriber, client in
                for round in 0..<300 {
                    let events = Recorder<RedisSubscriptionEvent>()
                    let subscription = try await subscriber.subscribe(to: "c\(round % 3)") { events.add($0) }
                    #expect(try await self.publish(client, "c\(round % 3)", "\(round)") == 1)
                    try await eventually("message \(round) is here") { events.values == [self.message("\(round)")] }
                    subscription.cancel()
                }
                try await eventually("the server has no channel left") { try await self.serverChannels(client) == 0 }
            }
        }
    }

    @Test func `messages come in order, to every subscription of the channel and to no other`() async throws {
        try await withRedis { server in
            try await self.withBoth(server) { subscriber, client in
                let recorders = (0..<20).map { _ in Recorder<RedisSubscriptionEvent>() }
                var subscriptions: [RedisSubscription] = []
                for (index, recorder) in recorders.enumerated() {
                    subscriptions.append(try await subscriber.subscribe(to: "c\(index % 2)") { recorder.add($0) })
                }
                let batch = (0..<500).map { RedisCommand("PUBLISH", "c\($0 % 2)", "\($0)") }
                _ = try await client.send(batch: batch)
                for (index, recorder) in recorders.enumerated() {
                    let expected = (0..<500).filter { $0 % 2 == index % 2 }.map { self.message("\($0)") }
                    try await eventually("all are here") { recorder.count == expected.count }
                    #expect(recorder.values == expected)
                }
                #expect(try await self.serverChannels(client) == 2)
                withExtendedLifetime(subscriptions) {}
            }
        }
    }

    @Test func `the last subscription takes the server's with it, by cancel or by going out of use`() async throws {
        try await withRedis { server in
            try await self.withBoth(server) { subscriber, client in
                let events = Recorder<RedisSubscriptionEvent>()
                var first: RedisSubscription? = try await subscriber.subscribe(to: "c") { events.add($0) }
                let second = try await subscriber.subscribe(to: "c") { events.add($0) }
                #expect(first?.channel == "c")
                #expect(try await self.publish(client, "c", "x") == 1)
                try await eventually("both hear it") { events.count == 2 }
                second.cancel()
                second.cancel()
                #expect(try await self.publish(client, "c", "y") == 1)
                try await eventually("one hears it") { events.count == 3 }
                first = nil
                try await eventually("unsubscribed") { try await self.serverChannels(client) == 0 }
                #expect(try await self.publish(client, "c", "z") == 0)
                #expect(events.count == 3)
            }
        }
    }

    @Test func `a listener may own a subscription`() async throws {
        try await withRedis { server in
            try await self.withBoth(server) { subscriber, client in
                let inner = try await subscriber.subscribe(to: "inner") { _ in }
                var outer: RedisSubscription? = try await subscriber.subscribe(to: "outer") { _ in
                    withExtendedLifetime(inner) {}
                }
                #expect(outer?.channel == "outer")
                outer = nil
                try await eventually("outer is gone") { try await self.serverChannels(client) == 1 }
            }
        }
    }

    @Test func `many subscribe and leave at once`() async throws {
        try await withRedis { server in
            try await self.withBoth(server) { subscriber, client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<32 {
                        group.addTask {
                            for round in 0..<30 {
                                let events = Recorder<RedisSubscriptionEvent>()
                                let channel = "c\((task + round) % 5)"
                                let subscription = try await subscriber.subscribe(to: channel) { events.add($0) }
                                let text = "\(task)-\(round)"
                                #expect(try await self.publish(client, channel, text) == 1)
                                try await eventually("\(text) is here") { events.values.contains(self.message(text)) }
                                subscription.cancel()
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                try await eventually("no channel is left") { try await self.serverChannels(client) == 0 }
            }
        }
    }

    @Test func `after a restart everybody is told and hears again`() async throws {
        try await withRedis { server in
            try await self.withBoth(server) { subscriber, client in
                let recorders = (0..<6).map { _ in Recorder<RedisSubscriptionEvent>() }
                var subscriptions: [RedisSubscription] = []
                for (index, recorder) in recorders.enumerated() {
                    subscriptions.append(try await subscriber.subscribe(to: "c\(index / 2)") { recorder.add($0) })
                }
                for round in 1...3 {
                    try await server.restart()
                    try await eventually(within: .seconds(20), "everybody is told") {
                        recorders.allSatisfy { $0.count == round * 3 - 1 }
                    }
                    for channel in 0..<3 { #expect(try await self.publish(client, "c\(channel)", "\(round)") == 1) }
                    try await eventually("everybody hears") { recorders.allSatisfy { $0.count == round * 3 } }
                    for recorder in recorders {
                        #expect(recorder.values.suffix(3) == [.interrupted, .resubscribed, self.message("\(round)")])
                    }
                }
                withExtendedLifetime(subscriptions) {}
            }
        }
    }

    @Test func `a subscription asked for while the server is away is made when it is back`() async throws {
        try await withRedis { server in
            try await self.withBoth(server) { subscriber, client in
                try await server.kill()
                let error = await redisError { () async throws(RedisError) in
                    try await subscriber.subscribe(to: "c", timeout: .milliseconds(100)) { _ in }
                }
                #expect(error?.code == .notConnected)
                let events = Recorder<RedisSubscriptionEvent>()
                async let waiting = subscriber.subscribe(to: "c", timeout: .seconds(30)) { events.add($0) }
                try await server.restart()
                let subscription = try await waiting
                #expect(try await self.publish(client, "c", "x") == 1)
                try await eventually("it is here") { events.values == [self.message("x")] }
                subscription.cancel()
            }
        }
    }

    @Test func `a half-open connection is found by its silence`() async throws {
        try await withRedis { server in
            try await self.withBoth(server) { configuration in
                configuration.idleBeforePing = .milliseconds(100)
                configuration.commandTimeout = .seconds(1)
                configuration.connectTimeout = .seconds(2)
            } _: { subscriber, client in
                let events = Recorder<RedisSubscriptionEvent>()
                let subscription = try await subscriber.subscribe(to: "c", timeout: .seconds(5)) { events.add($0) }
                try await eventually("silence was asked and answered") {
                    let list = try await client.send(RedisCommand("CLIENT", "LIST", "TYPE", "pubsub")).string ?? ""
                    return list.contains("cmd=ping")
                }
                server.pause()
                try await eventually("the silence is noticed") { events.values.last == .interrupted }
                server.resume()
                try await eventually(within: .seconds(20), "it is back") { events.values.last == .resubscribed }
                subscription.cancel()
            }
        }
    }

    @Test func `a cancelled subscribe leaves nothing behind`() async throws {
        try await withRedis { server in
            try await self.withBoth(server) { subscriber, client in
                let other = try await subscriber.subscribe(to: "other") { _ in }
                server.pause()
                let task = Task {
                    await redisError { () async throws(RedisError) in
                        try await subscriber.subscribe(to: "c", timeout: .seconds(30)) { _ in }
                    }
                }
                task.cancel()
                #expect(await task.value?.code == .cancelled)
                server.resume()
                try await eventually("only the other is left") { try await self.serverChannels(client) == 1 }
                #expect(try await self.publish(client, "other", "x") == 1)
                other.cancel()
            }
        }
    }

    @Test func `a channel that an ACL forbids is refused`() async throws {
        try await withRedis { server in
            try await withClient(url: server.url) { admin in
                let rules: [RedisArgument] = ["app", "on", ">pw", "+@all", "resetchannels", "&log:*"]
                _ = try await admin.send(RedisCommand("ACL", arguments: ["SETUSER"] + rules))
                let url = server.url.replacing("unix://", with: "unix://app:pw@")
                try await withSubscriber(RedisConfiguration(url: url)) { subscriber in
                    let error = await redisError { () async throws(RedisError) in
                        try await subscriber.subscribe(to: "bus") { _ in }
                    }
                    #expect(error?.serverCode == "NOPERM")
                    let subscription = try await subscriber.subscribe(to: "log:1") { _ in }
                    #expect(try await self.publish(admin, "log:1", "x") == 1)
                    subscription.cancel()
                }
            }
        }
    }

    @Test func `closing interrupts subscriptions and refuses new ones`() async throws {
        try await withRedis { server in
            try await self.withBoth(server) { subscriber, _ in
                let events = Recorder<RedisSubscriptionEvent>()
                let subscription = try await subscriber.subscribe(to: "c") { events.add($0) }
                await subscriber.close()
                #expect(events.values == [.interrupted])
                let error = await redisError { () async throws(RedisError) in
                    try await subscriber.subscribe(to: "c") { _ in }
                }
                #expect(error?.code == .closed)
                subscription.cancel()
            }
        }
    }
}
