import NIOCore
import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(1))) struct RedisCommandTests {
    @Test func `every kind of argument becomes a bulk string`() {
        let key = "schlüssel"
        let command = RedisCommand(
            "SET",
            .string(key),
            "a\(1)b",
            .int(-12),
            7,
            .bytes(ByteBuffer(string: "x\r\ny")),
            .byteArray([0, 255])
        )
        var expected = ByteBuffer(
            string: "*7\r\n$3\r\nSET\r\n$10\r\nschlüssel\r\n$3\r\na1b\r\n$3\r\n-12\r\n$1\r\n7\r\n"
        )
        expected.writeString("$4\r\nx\r\ny\r\n$2\r\n")
        expected.writeBytes([0, 255])
        expected.writeString("\r\n")
        #expect(command.encoded == expected)
    }

    @Test func `a command without arguments is encoded`() {
        #expect(String(buffer: RedisCommand("PING").encoded) == "*1\r\n$4\r\nPING\r\n")
    }

    @Test func `the description shows no argument`() {
        #expect("\(RedisCommand("AUTH", "secret"))" == "AUTH")
    }

    @Test(arguments: ["SUBSCRIBE", "psubscribe", "Monitor", "HELLO", "reset", "QUIT", "SYNC"])
    func `commands that break the order of replies are marked`(name: String) {
        #expect(RedisCommand(name, "x").isUnsupported)
    }

    @Test func `CLIENT REPLY is marked and its neighbours are not`() {
        #expect(RedisCommand("client", "reply", "off").isUnsupported)
        #expect(!RedisCommand("CLIENT", "ID").isUnsupported)
        #expect(!RedisCommand("PUBLISH", "a", "b").isUnsupported)
        #expect(!RedisCommand("SET", "a", "b").isUnsupported)
    }
}
