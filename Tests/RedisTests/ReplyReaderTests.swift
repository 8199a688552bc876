import NIOCore
import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(1))) struct ReplyReaderTests {
    private func read(_ pieces: [String], bytesMax: Int = 1 << 20) throws(RedisError) -> [RedisValue] {
        let reader = try ReplyReader(replyBytesMax: bytesMax)
        var replies: [RedisValue] = []
        for piece in pieces { try reader.read(ByteBuffer(string: piece), into: &replies) }
        return replies
    }

    private static let stream =
        "+OK\r\n-ERR no\r\n:-42\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n"
        + "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*1\r\n+y\r\n-WRONGTYPE z\r\n:9\r\n"
    private static let values: [RedisValue] = [
        .simple("OK"), .error("ERR no"), .integer(-42), bulk("a\r\nbc"), bulk(""), .null, .null, .array([]),
        .array([.integer(1), .array([bulk("x"), .array([.simple("y")])]), .error("WRONGTYPE z")]), .integer(9),
    ]

    @Test func `every type is read`() throws {
        #expect(try self.read([Self.stream]) == Self.values)
    }

    @Test func `it does not matter where the bytes are cut`() throws {
        let bytes = Array(Self.stream)
        for cut in 1..<bytes.count {
            #expect(try self.read([String(bytes[..<cut]), String(bytes[cut...])]) == Self.values)
        }
        #expect(try self.read(bytes.map(String.init)) == Self.values)
    }

    @Test func `many replies in one read and one reply in many reads`() throws {
        let small = String(repeating: ":7\r\n", count: 50_000)
        #expect(try self.read([small]).count == 50_000)
        let payload = String(repeating: "x", count: 900_000)
        let reply = "$900000\r\n" + payload + "\r\n"
        #expect(try self.read([reply, "+OK\r\n"]) == [bulk(payload), .simple("OK")])
    }

    @Test func `the answers before nonsense are still given`() throws {
        let reader = try ReplyReader(replyBytesMax: 1 << 20)
        var replies: [RedisValue] = []
        let error = #expect(throws: RedisError.self) {
            try reader.read(ByteBuffer(string: "+OK\r\nHTTP/1.1 400\r\n"), into: &replies)
        }
        #expect(error?.code == .protocolViolation)
        #expect(replies == [.simple("OK")])
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n", "*x\r\n", ":12a\r\n", "$-7\r\n", "*-2\r\n", "%1\r\n+a\r\n+b\r\n", "$1\r\nabc",
        "*2\r\n$1\r\na\r\n$4\r\nabcdefgh\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
    ])
    func `what is not RESP2 is a violation`(text: String) {
        let error = #expect(throws: RedisError.self) { try self.read([text]) }
        #expect(error?.code == .protocolViolation)
    }

    @Test func `a reply above the bound is a violation, before it is whole`() {
        for head in ["$50000000\r\n", "+", "*100\r\n$1000\r\n"] {
            let piece = String(repeating: "x", count: 10_000)
            let error = #expect(throws: RedisError.self) {
                try self.read([head] + Array(repeating: piece, count: 11), bytesMax: 100_000)
            }
            #expect(error?.code == .protocolViolation)
        }
    }

    @Test func `a promised billion of elements takes no memory`() throws {
        #expect(try self.read(["*1000000000\r\n:1\r\n"]).isEmpty)
    }
}
