import NIOCore
import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(1))) struct GreetingTests {
    private func greeting(_ url: String, name: String = "worker 1") throws -> Greeting {
        Greeting(configuration: try RedisConfiguration(url: url), name: name)
    }

    private func wire(_ greeting: Greeting) -> [String] {
        greeting.commands.map { command in
            String(buffer: command.encoded).split(separator: "\r\n").filter { !"*$".contains($0.first ?? "*") }
                .joined(separator: " ")
        }
    }

    @Test func `login and database come first, PING last`() throws {
        #expect(
            self.wire(try self.greeting("redis://me:pw@h/3"))
                == ["AUTH me pw", "SELECT 3", "CLIENT SETNAME worker-1", "PING"]
        )
        #expect(self.wire(try self.greeting("redis://:pw@h")) == ["AUTH pw", "CLIENT SETNAME worker-1", "PING"])
        #expect(self.wire(try self.greeting("redis://h")) == ["CLIENT SETNAME worker-1", "PING"])
    }

    @Test func `a refused login is an authentication error`() throws {
        for (url, reply) in [
            ("redis://:pw@h", "WRONGPASS invalid username-password pair or user is disabled."),
            ("redis://:pw@h", "ERR AUTH <password> called without any password configured"),
            ("redis://h", "NOAUTH Authentication required."),
        ] {
            var greeting = try self.greeting(url)
            let error = #expect(throws: RedisError.self) { try greeting.receive(.error(reply)) }
            #expect(error?.code == .authentication)
            #expect(error?.message.contains(reply) == true)
        }
    }

    @Test func `a loading server is not used yet`() throws {
        var greeting = try self.greeting("redis://h")
        try greeting.receive(.simple("OK"))
        let error = #expect(throws: RedisError.self) { try greeting.receive(.error("LOADING Redis is loading")) }
        #expect(error?.code == .notConnected)
    }

    @Test func `a user without SETNAME and PING is still a user`() throws {
        var greeting = try self.greeting("redis://me:pw@h")
        try greeting.receive(.simple("OK"))
        try greeting.receive(.error("NOPERM no setname"))
        #expect(!greeting.isDone)
        try greeting.receive(.error("NOPERM no ping"))
        #expect(greeting.isDone)
    }

    @Test func `an answer that is no status is a violation`() throws {
        var greeting = try self.greeting("redis://h")
        let error = #expect(throws: RedisError.self) { try greeting.receive(.integer(1)) }
        #expect(error?.code == .protocolViolation)
    }
}
