import NIOCore
import Testing

@testable import WebSocket

@Suite(.timeLimit(.minutes(2))) struct DeflateTests {
    private static let offer = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]
    /// "Hello", as RFC 7692 section 7.2.3.1 compresses it.
    private static let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]

    private func withOpenSocket(
        configuration: WebSocketConfiguration = WebSocketConfiguration(),
        _ body: @escaping @Sendable (RawSocket) async throws -> Void
    ) async throws {
        try await withServer(configuration: configuration) { server in
            let socket = try await RawSocket.open(port: server.port, headers: Self.offer)
            try await body(socket)
            await socket.close()
        }
    }

    @Test(arguments: [
        ("permessage-deflate", "", true),
        ("permessage-deflate; client_max_window_bits", "", true),
        ("permessage-deflate; client_max_window_bits=8; client_no_context_takeover", "", true),
        ("permessage-deflate; server_max_window_bits=9", "; server_max_window_bits=9", true),
        ("permessage-deflate; server_max_window_bits=\"15\"", "; server_max_window_bits=15", true),
        ("PerMessage-Deflate;Server_No_Context_Takeover", "", true),
        ("x-webkit-deflate-frame, permessage-deflate", "", true),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", "", true),
        ("permessage-deflate; server_max_window_bits=8", "", false),
        ("permessage-deflate; server_max_window_bits=16", "", false),
        ("permessage-deflate; server_max_window_bits=09", "", false),
        ("permessage-deflate; server_max_window_bits", "", false),
        ("permessage-deflate; client_max_window_bits=7", "", false),
        ("permessage-deflate; server_no_context_takeover=1", "", false),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", "", false),
        ("permessage-deflate; unknown", "", false),
        ("permessage-deflate; =3", "", false),
        ("permessage-deflate;", "", false),
        ("permessage-deflate, ,", "", false),
        ("x-webkit-deflate-frame", "", false),
        ("", "", false),
    ])
    func `offers are answered as RFC 7692 says`(offer: String, parameters: String, isTaken: Bool) {
        let takeover = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        #expect(DeflateAgreement(answering: offer)?.answer == (isTaken ? takeover + parameters : nil))
    }

    @Test(arguments: [
        ("permessage-deflate; server_no_context_takeover", true),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10", true),
        ("permessage-deflate", false),
        ("permessage-deflate; server_no_context_takeover; client_max_window_bits=10", false),
        ("permessage-deflate; server_no_context_takeover, permessage-deflate; server_no_context_takeover", false),
        ("other", false),
    ])
    func `a client accepts only what it offered`(answer: String, isAccepted: Bool) {
        #expect((DeflateAgreement(answer: answer) != nil) == isAccepted)
    }

    @Test func `an offer is answered in the handshake, and not when compression is off`() async throws {
        for isOn in [true, false] {
            try await withServer(configuration: WebSocketConfiguration(compression: isOn)) { server in
                let socket = try await RawSocket.connect(port: server.port)
                try await socket.send(RawSocket.upgradeRequest(headers: Self.offer))
                #expect(try await socket.head().contains("permessage-deflate") == isOn)
                await socket.close()
            }
        }
    }

    @Test(arguments: [
        ("whole", [RawFrame(opcode: 1, payload: hello, reserved: 4)]),
        (
            "fragmented",
            [
                RawFrame(opcode: 1, payload: Array(hello.prefix(3)), isFinal: false, reserved: 4),
                RawFrame(opcode: 9, payload: [1]),
                RawFrame(opcode: 0, payload: [], isFinal: false),
                RawFrame(opcode: 0, payload: Array(hello.dropFirst(3))),
            ]
        ),
        (
            "stored block",
            [
                RawFrame(
                    opcode: 1,
                    payload: [0, 5, 0, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0],
                    reserved: 4
                )
            ]
        ),
        ("final block", [RawFrame(opcode: 1, payload: [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0, 0], reserved: 4)]),
        (
            "two blocks",
            [
                RawFrame(
                    opcode: 1,
                    payload: [0xF2, 0x48, 0x05, 0, 0, 0, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0],
                    reserved: 4
                )
            ]
        ),
        ("not compressed", [RawFrame.text("Hello")]),
    ])
    func `every form of a compressed message is read`(name: String, frames: [RawFrame]) async throws {
        try await self.withOpenSocket { socket in
            for frame in frames { try await socket.send(frame) }
            var answer = try await socket.frame()
            if answer.opcode == 10 { answer = try await socket.frame() }
            #expect(answer.text == "Hello")
            #expect(answer.reserved == 0)
        }
    }

    @Test(arguments: [
        ("empty by one byte", [UInt8(0)], ""),
        ("empty by nothing", [], ""),
    ])
    func `an empty compressed message is empty`(name: String, payload: [UInt8], text: String) async throws {
        try await self.withOpenSocket { socket in
            try await socket.send(RawFrame(opcode: 1, payload: payload, reserved: 4))
            #expect(try await socket.frame().text == text)
        }
    }

    @Test(arguments: [
        ("window of the message before", [UInt8]([0xF2, 0x00, 0x11, 0x00, 0x00]), UInt16(1007)),
        ("cut in the middle", [0xF2, 0x48, 0xCD], 1007),
        ("no deflate at all", [0xFF, 0xFF, 0xFF, 0xFF], 1007),
    ])
    func `a broken compressed message closes with 1007`(name: String, payload: [UInt8], code: UInt16) async throws {
        try await self.withOpenSocket { socket in
            try await socket.send(RawFrame(opcode: 1, payload: payload, reserved: 4))
            #expect(try await socket.frame().closeCode == code)
            try await socket.ended()
        }
    }

    @Test func `compressed text that is not UTF-8 closes with 1007`() async throws {
        try await self.withOpenSocket { socket in
            try await socket.send(RawFrame(opcode: 1, payload: [0, 1, 0, 0xFE, 0xFF, 0xFF, 0], reserved: 4))
            #expect(try await socket.frame().closeCode == 1007)
        }
    }

    @Test func `the compression bit on a continuation closes with 1002`() async throws {
        try await self.withOpenSocket { socket in
            try await socket.send(
                RawFrame(opcode: 1, payload: Array(Self.hello.prefix(3)), isFinal: false, reserved: 4),
                RawFrame(opcode: 0, payload: Array(Self.hello.dropFirst(3)), reserved: 4)
            )
            #expect(try await socket.frame().closeCode == 1002)
        }
    }

    @Test func `a bomb closes with 1009 before it is inflated`() async throws {
        let bomb = try #require(Deflater(windowBits: 15)?.compress(ByteBuffer(repeating: 0, count: 50_000_000)))
        try await self.withOpenSocket { socket in
            #expect(bomb.readableBytes < 300_000)
            try await socket.send(RawFrame(opcode: 2, payload: Array(bomb.readableBytesView), reserved: 4))
            #expect(try await socket.frame().closeCode == 1009)
            try await socket.ended()
        }
    }

    @Test(arguments: [1_048_576, 1_048_577])
    func `a message of exactly the largest size passes, one byte more does not`(size: Int) async throws {
        let message = try #require(Deflater(windowBits: 15)?.compress(ByteBuffer(repeating: 0x61, count: size)))
        try await self.withOpenSocket { socket in
            try await socket.send(RawFrame(opcode: 2, payload: Array(message.readableBytesView), reserved: 4))
            let answer = try await socket.frame()
            #expect(answer.opcode == (size > 1_048_576 ? 8 : 2))
        }
    }

    @Test func `long messages are sent compressed, short ones are not`() async throws {
        try await self.withOpenSocket { socket in
            try await socket.send(.text(String(repeating: "a", count: 1_023)))
            #expect(try await socket.frame().reserved == 0)
            try await socket.send(.text(String(repeating: "a", count: 1_024)))
            let long = try await socket.frame()
            #expect(long.reserved == 4)
            var text = ByteBuffer()
            var payload = long.payload
            let inflater = try #require(Inflater())
            try payload.withUnsafeMutableBytes { try inflater.inflate($0, into: &text, bytesMax: 10_000) }
            try inflater.finish(into: &text, bytesMax: 10_000)
            #expect(String(buffer: text) == String(repeating: "a", count: 1_024))
        }
    }

    @Test(arguments: 9...15)
    func `what is compressed inflates to the same, with any window`(windowBits: Int) throws {
        var generator = SystemRandomNumberGenerator()
        let pool = CompressionPool()
        for size in [600, 5_000, 70_000, 300_000] {
            let bytes = (0..<size).map { index in index % 3 == 0 ? UInt8.random(in: 0...255, using: &generator) : 0x20 }
            let message = ByteBuffer(bytes: bytes)
            var compressed = try #require(pool.compress(message, windowBits: windowBits))
            #expect(compressed.readableBytes < size)
            var inflated = ByteBuffer()
            let inflater = try pool.takeInflater()
            while var piece = compressed.readBytes(length: min(977, compressed.readableBytes)), !piece.isEmpty {
                try piece.withUnsafeMutableBytes { try inflater.inflate($0, into: &inflated, bytesMax: size) }
            }
            try inflater.finish(into: &inflated, bytesMax: size)
            pool.giveBack(inflater)
            #expect(inflated == message)
        }
    }

    @Test func `what does not shrink is sent as it is`() {
        let noise = ByteBuffer(bytes: (0..<4_000).map { _ in UInt8.random(in: 0...255) })
        #expect(CompressionPool().compress(noise, windowBits: 15) == nil)
    }
}
