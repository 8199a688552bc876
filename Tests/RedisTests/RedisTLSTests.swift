import NIOCore
import Redis
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct RedisTLSTests {
    private func withTLSServer(
        names: String = "DNS:localhost,IP:127.0.0.1",
        _ body: (RedisServer, Int, String) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let certificate = try await TestCertificate.make(in: directory, names: names)
            try await withRedis(tls: certificate) { server in
                let port = try #require(server.tlsPort)
                try await body(server, port, certificate.certificateFile)
            }
        }
    }

    private func pingError(_ url: String) async throws -> RedisError? {
        try await withClient(url: url) { client in
            await redisError { () async throws(RedisError) in
                try await client.send(RedisCommand("PING"), timeout: .milliseconds(500))
            }
        }
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func `a trusted certificate is accepted, by name and by address`(host: String) async throws {
        try await self.withTLSServer { _, port, authority in
            try await withClient(url: "rediss://\(host):\(port)/2?cacert=\(authority)") { client in
                let value = String(repeating: "x", count: 300_000)
                _ = try await client.send(RedisCommand("SET", "k", .string(value)))
                #expect(try await client.send(RedisCommand("GET", "k")).string == value)
            }
        }
    }

    @Test func `messages arrive over TLS`() async throws {
        try await self.withTLSServer { server, port, authority in
            let configuration = try RedisConfiguration(url: "rediss://localhost:\(port)?cacert=\(authority)")
            try await withSubscriber(configuration) { subscriber in
                let events = Recorder<RedisSubscriptionEvent>()
                let subscription = try await subscriber.subscribe(to: "c") { events.add($0) }
                try await withClient(url: server.url) { _ = try await $0.send(RedisCommand("PUBLISH", "c", "x")) }
                try await eventually("the message is here") { events.values == [.message(.init(string: "x"))] }
                subscription.cancel()
            }
        }
    }

    @Test func `an unknown authority is refused`() async throws {
        try await self.withTLSServer { _, port, _ in
            let reply = try await self.pingError("rediss://localhost:\(port)")?.message.contains("CERTIFICATE")
            #expect(reply == true)
        }
    }

    @Test func `a certificate for another host is refused`() async throws {
        try await self.withTLSServer(names: "DNS:elsewhere.example,IP:127.0.0.9") { _, port, authority in
            for host in ["localhost", "127.0.0.1"] {
                let error = try await self.pingError("rediss://\(host):\(port)?cacert=\(authority)")
                #expect(error?.code == .notConnected)
                #expect(error?.message.isEmpty == false)
            }
        }
    }

    @Test func `plain text at a TLS port and TLS at a plain port fail clearly`() async throws {
        try await self.withTLSServer { server, port, _ in
            let reply = try await self.pingError("redis://127.0.0.1:\(port)")?.code
            #expect(reply == .notConnected)
        }
        try await withRedis(tcp: true) { server in
            let port = try #require(server.port)
            #expect(try await self.pingError("rediss://127.0.0.1:\(port)")?.code == .notConnected)
        }
    }

    @Test func `run throws when the authorities cannot be read`() async throws {
        let configuration = try RedisConfiguration(url: "rediss://localhost?cacert=/nowhere/ca.pem")
        let client = RedisClient(configuration, name: "test", logger: quietLogger)
        let error = await #expect(throws: RedisError.self) { try await client.run() }
        #expect(error?.code == .tls)
        #expect(error?.message.contains("/nowhere/ca.pem") == true)
    }
}
