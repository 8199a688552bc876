import NIOCore
import Redis
import Testing

@Suite(.timeLimit(.minutes(1))) struct RedisValueTests {
    @Test func `accessors give what the value is and nil for what it is not`() {
        #expect(bulk("12").string == "12")
        #expect(bulk("12").int == 12)
        #expect(bulk("x").int == nil)
        #expect(RedisValue.simple("OK").bytes == ByteBuffer(string: "OK"))
        #expect(RedisValue.integer(5).int == 5)
        #expect(RedisValue.integer(5).string == nil)
        #expect(RedisValue.array([.null]).array == [.null])
        #expect(RedisValue.error("ERR").string == nil)
        #expect(RedisValue.null.isNull)
    }

    @Test func `a server's error tells its code`() {
        #expect(RedisError(.server, "NOGROUP No such key").serverCode == "NOGROUP")
        #expect(RedisError(.timeout, "NOGROUP").serverCode == nil)
    }
}
