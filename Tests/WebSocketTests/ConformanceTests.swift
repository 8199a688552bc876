import Testing

@testable import WebSocket

/// What a peer sends, and what has to come back before the connection ends.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    let name: String
    let sent: [[UInt8]]
    let answers: [RawFrame]
    /// The code of the Close frame that ends it; nil when the peer closes with 1000 itself.
    let closeCode: UInt16?

    init(_ name: String, _ sent: [RawFrame], _ answers: [RawFrame] = [], closes closeCode: UInt16? = nil) {
        self.init(name, raw: sent.map(\.bytes), answers, closes: closeCode)
    }

    init(_ name: String, raw sent: [[UInt8]], _ answers: [RawFrame] = [], closes closeCode: UInt16? = nil) {
        self.name = name
        self.sent = sent
        self.answers = answers.map { RawFrame(opcode: $0.opcode, payload: $0.payload, mask: nil) }
        self.closeCode = closeCode
    }

    var testDescription: String { self.name }

    private static let ping = RawFrame(opcode: 9, payload: [1, 2, 3])
    private static let pong = RawFrame(opcode: 10, payload: [1, 2, 3])
    private static let long = [UInt8](repeating: 0x61, count: 65_536)

    static let messages: [ConformanceCase] = [
        .init("empty text", [.text("")], [.text("")]),
        .init("text", [.text("hello")], [.text("hello")]),
        .init("125 bytes", [.text(String(repeating: "x", count: 125))], [.text(String(repeating: "x", count: 125))]),
        .init("126 bytes", [.text(String(repeating: "x", count: 126))], [.text(String(repeating: "x", count: 126))]),
        .init("127 bytes", [.text(String(repeating: "x", count: 127))], [.text(String(repeating: "x", count: 127))]),
        .init(
            "65,535 bytes",
            [.init(opcode: 2, payload: Array(long.dropLast()))],
            [.init(opcode: 2, payload: Array(long.dropLast()))]
        ),
        .init("65,536 bytes", [.init(opcode: 2, payload: long)], [.init(opcode: 2, payload: long)]),
        .init("empty binary", [.init(opcode: 2)], [.init(opcode: 2)]),
        .init(
            "binary that is no text",
            [.init(opcode: 2, payload: [0xFF, 0xFE, 0])],
            [.init(opcode: 2, payload: [0xFF, 0xFE, 0])]
        ),
        .init("mask of zeros", [.init(opcode: 1, payload: [0x61], mask: [0, 0, 0, 0])], [.text("a")]),
        .init(
            "two messages in one write",
            raw: [RawFrame.text("a").bytes + RawFrame.text("b").bytes],
            [.text("a"), .text("b")]
        ),
    ]

    static let control: [ConformanceCase] = [
        .init("ping", [ping], [pong]),
        .init("empty ping", [.init(opcode: 9)], [.init(opcode: 10)]),
        .init(
            "ping of 125 bytes",
            [.init(opcode: 9, payload: Array(long.prefix(125)))],
            [.init(opcode: 10, payload: Array(long.prefix(125)))]
        ),
        .init("ping of 126 bytes", [.init(opcode: 9, payload: Array(long.prefix(126)))], closes: 1002),
        .init("ten pings", Array(repeating: ping, count: 10), Array(repeating: pong, count: 10)),
        .init("unasked pong", [pong, .text("a")], [.text("a")]),
        .init("fragmented ping", [.init(opcode: 9, isFinal: false)], closes: 1002),
        .init("fragmented close", [.init(opcode: 8, isFinal: false)], closes: 1002),
        .init("ping with compression bit", [.init(opcode: 9, reserved: 4)], closes: 1002),
    ]

    static let headers: [ConformanceCase] = [
        .init("unmasked", [.init(opcode: 1, payload: [0x61], mask: nil)], closes: 1002),
        .init("first reserved bit", [.init(opcode: 1, payload: [0x61], reserved: 4)], closes: 1002),
        .init("second reserved bit", [.init(opcode: 1, payload: [0x61], reserved: 2)], closes: 1002),
        .init("third reserved bit", [.init(opcode: 1, payload: [0x61], reserved: 1)], closes: 1002),
        .init("reserved bit after a message", [.text("a"), .init(opcode: 9, reserved: 1)], [.text("a")], closes: 1002),
        .init("frame over the limit", raw: [[0x82, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 1, 1, 2, 3, 4]], closes: 1009),
        .init("length with its top bit set", raw: [[0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1]], closes: 1002),
        .init("length in two bytes that needs one", raw: [[0x82, 0xFE, 0, 125, 1, 2, 3, 4]], closes: 1002),
        .init("length in eight bytes that needs two", raw: [[0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]], closes: 1002),
        .init("opcode 3", [.init(opcode: 3)], closes: 1002),
        .init("opcode 4 with payload", [.init(opcode: 4, payload: [1])], closes: 1002),
        .init("opcode 7", [.init(opcode: 7)], closes: 1002),
        .init("opcode 11", [.init(opcode: 11)], closes: 1002),
        .init("opcode 15", [.init(opcode: 15)], closes: 1002),
        .init("reserved opcode inside a message", [.text("a", isFinal: false), .init(opcode: 5)], closes: 1002),
    ]

    static let fragments: [ConformanceCase] = [
        .init(
            "two fragments",
            [.text("he", isFinal: false), .continuation(Array("llo".utf8), isFinal: true)],
            [.text("hello")]
        ),
        .init(
            "ping between fragments",
            [.text("he", isFinal: false), ping, .continuation(Array("llo".utf8), isFinal: true)],
            [pong, .text("hello")]
        ),
        .init(
            "pongs between many fragments",
            [.text("a", isFinal: false), ping, .continuation([0x62]), ping, .continuation([0x63], isFinal: true)],
            [pong, pong, .text("abc")]
        ),
        .init(
            "empty fragments",
            [.text("", isFinal: false), .continuation([]), .continuation([0x61]), .continuation([], isFinal: true)],
            [.text("a")]
        ),
        .init("only empty fragments", [.text("", isFinal: false), .continuation([], isFinal: true)], [.text("")]),
        .init("continuation of nothing", [.continuation([0x61], isFinal: true)], closes: 1002),
        .init("open continuation of nothing", [.continuation([0x61])], closes: 1002),
        .init(
            "continuation after the end",
            [.text("a"), .continuation([0x61], isFinal: true)],
            [.text("a")],
            closes: 1002
        ),
        .init("message inside a message", [.text("a", isFinal: false), .text("b")], closes: 1002),
        .init("binary inside text", [.text("a", isFinal: false), .init(opcode: 2)], closes: 1002),
        .init(
            "message over the limit",
            [
                .init(opcode: 2, payload: Array(repeating: 7, count: 900_000), isFinal: false),
                .continuation(Array(repeating: 7, count: 200_000)),
            ],
            closes: 1009
        ),
    ]

    static let texts: [ConformanceCase] = [
        .init("many scripts", [.text("κόσμε Hellö 😀")], [.text("κόσμε Hellö 😀")]),
        .init(
            "character split over fragments",
            [.init(opcode: 1, payload: [0xF0, 0x9F], isFinal: false), .continuation([0x98, 0x80], isFinal: true)],
            [.text("😀")]
        ),
        .init(
            "character split around a ping",
            [.init(opcode: 1, payload: [0xE2], isFinal: false), ping, .continuation([0x82, 0xAC], isFinal: true)],
            [pong, .text("€")]
        ),
        .init("stray continuation byte", [.init(opcode: 1, payload: [0x80])], closes: 1007),
        .init("overlong slash", [.init(opcode: 1, payload: [0xC0, 0xAF])], closes: 1007),
        .init("surrogate", [.init(opcode: 1, payload: [0xED, 0xA0, 0x80])], closes: 1007),
        .init("beyond U+10FFFF", [.init(opcode: 1, payload: [0xF4, 0x90, 0x80, 0x80])], closes: 1007),
        .init("unfinished character", [.init(opcode: 1, payload: [0x61, 0xE2, 0x82])], closes: 1007),
        .init(
            "bad byte in the first of many fragments, at once",
            [.init(opcode: 1, payload: [0x61, 0xFF], isFinal: false)],
            closes: 1007
        ),
        .init(
            "bad byte in the middle of a frame, at once",
            raw: [[0x81, 0xFE, 0x10, 0, 0, 0, 0, 0, 0x61, 0xF4, 0x90]],
            closes: 1007
        ),
    ]

    static let closes: [ConformanceCase] =
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map { code in
            .init("close \(code)", [.close(code)], closes: code)
        }
        + [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map { code in
            .init("close \(code), which may not be sent", [.close(code)], closes: 1002)
        }
        + [
            .init("close with one byte", [.init(opcode: 8, payload: [3])], closes: 1002),
            .init("close with a reason", [.close(1000, Array("bye €".utf8))], closes: 1000),
            .init("close with 123 bytes of reason", [.close(1000, Array(long.prefix(123)))], closes: 1000),
            .init("close with 124 bytes of reason", [.close(1000, Array(long.prefix(124)))], closes: 1002),
            .init("close with a reason that is not UTF-8", [.close(1000, [0xC3, 0x28])], closes: 1007),
            .init("text before close", [.text("a"), .close(1000)], [.text("a")], closes: 1000),
            .init("text after close", [.close(1000), .text("a")], closes: 1000),
            .init("close after close", [.close(1001), .close(1000)], closes: 1001),
            .init("close inside a message", [.text("a", isFinal: false), .close(1000)], closes: 1000),
        ]

    static let all = messages + control + headers + fragments + texts + closes
}

@Suite(.timeLimit(.minutes(3))) struct ConformanceTests {
    @Test(arguments: ConformanceCase.all)
    func `frames are answered as RFC 6455 says`(_ test: ConformanceCase) async throws {
        try await withServer { server in
            let socket = try await RawSocket.open(port: server.port)
            for bytes in test.sent { try await socket.send(bytes) }
            try await self.check(test, on: socket)
        }
    }

    @Test(arguments: ConformanceCase.all.filter { $0.sent.joined().count < 1_000 })
    func `frames that arrive byte by byte are answered the same`(_ test: ConformanceCase) async throws {
        try await withServer { server in
            let socket = try await RawSocket.open(port: server.port)
            for byte in test.sent.joined() {
                // Once the server has failed the connection it may refuse the rest.
                try? await socket.send([byte])
            }
            try await self.check(test, on: socket)
        }
    }

    private func check(_ test: ConformanceCase, on socket: RawSocket) async throws {
        for answer in test.answers {
            let frame = try await socket.frame()
            #expect(frame == answer)
        }
        if test.closeCode == nil { try await socket.send(.close(1000)) }
        let last = try await socket.frame()
        #expect(last.closeCode == test.closeCode ?? 1000)
        try await socket.ended()
        #expect(socket.bytes.isEmpty)
        await socket.close()
    }

    @Test func `an empty close frame is answered with an empty one`() async throws {
        try await withServer { server in
            let socket = try await RawSocket.open(port: server.port)
            try await socket.send(RawFrame(opcode: 8))
            let answer = try await socket.frame()
            #expect(answer.opcode == 8)
            #expect(answer.payload.isEmpty)
            try await socket.ended()
            await socket.close()
        }
    }

    @Test func `frames that come with the upgrade request are not lost`() async throws {
        try await withServer { server in
            let socket = try await RawSocket.open(port: server.port, following: RawFrame.text("early").bytes)
            let answer = try await socket.frame()
            #expect(answer.text == "early")
            await socket.close()
        }
    }
}
