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

    private func refusal(_ url: String, _ words: String) async throws -> RedisError.Code {
        try await withClient(url: url) { client in try await untilRefused(client, words).code }
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
            let code = try await self.refusal("rediss://localhost:\(port)", "CERTIFICATE_VERIFY_FAILED")
            #expect(code == .tls)
        }
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func `a certificate for another host is refused`(host: String) async throws {
        try await self.withTLSServer(names: "DNS:elsewhere.example,IP:127.0.0.9") { _, port, authority in
            let code = try await self.refusal(
                "rediss://\(host):\(port)?cacert=\(authority)",
                "failedToValidateHostname"
            )
            #expect(code == .tls)
        }
    }

    @Test func `plain text at a TLS port fails clearly`() async throws {
        try await self.withTLSServer { _, port, _ in
            // Reset or closed, as the moment has it.
            let code = try await self.refusal("redis://127.0.0.1:\(port)", "PING: ")
            #expect(code == .notConnected)
        }
    }

    @Test func `TLS at a plain port fails clearly`() async throws {
        try await withRedis(tcp: true) { server in
            let port = try #require(server.port)
            // Redis waits for the rest of what it takes for a command.
            var configuration = try RedisConfiguration(url: "rediss://127.0.0.1:\(port)")
            configuration.connectTimeout = .milliseconds(300)
            try await withClient(configuration) { client in
                let error = try await untilRefused(client, "did not answer")
                #expect(error.code == .notConnected)
            }
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
