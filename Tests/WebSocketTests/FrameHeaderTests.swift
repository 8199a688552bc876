import NIOCore
import Testing

@testable import WebSocket

@Suite(.timeLimit(.minutes(1))) struct FrameHeaderTests {
    private static let rules = FrameRules(peerMasks: true, allowsCompression: true, frameBytesMax: 1 << 40)

    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 33])
    func `a header that is written is read the same, and not before its last byte`(payloadBytes: Int) throws {
        let header = FrameHeader(
            isFinal: payloadBytes.isMultiple(of: 2),
            isCompressed: true,
            opcode: .binary,
            mask: MaskingKey(bits: 0x0102_0304),
            payloadBytes: payloadBytes
        )
        var whole = ByteBuffer()
        header.write(to: &whole)
        for count in 0..<whole.readableBytes {
            var part = try #require(whole.getSlice(at: 0, length: count))
            #expect(try FrameHeader.read(from: &part, rules: Self.rules) == nil)
            #expect(part.readableBytes == count)
        }
        #expect(try FrameHeader.read(from: &whole, rules: Self.rules) == header)
        #expect(whole.readableBytes == 0)
    }

    @Test func `masking twice gives the same bytes, from any offset and at any length`() {
        let key = MaskingKey(bits: 0xA1B2_C3D4)
        let keyBytes: [UInt8] = [0xA1, 0xB2, 0xC3, 0xD4]
        for length in 0..<40 {
            for offset in 0..<5 {
                let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 37) }
                var masked = bytes
                masked.withUnsafeMutableBytes { key.apply(to: $0, offset: offset) }
                #expect(masked == bytes.enumerated().map { $0.element ^ keyBytes[($0.offset + offset) % 4] })
            }
        }
    }

    @Test func `a close reason is cut between characters`() throws {
        let payload = ClosePayload(code: .normal, reason: String(repeating: "😀", count: 40))
        #expect(payload.bytes.readableBytes == 2 + 120)
        #expect(try ClosePayload(payload.bytes).reason == String(repeating: "😀", count: 30))
        #expect(ClosePayload(code: nil).bytes.readableBytes == 0)
    }

    @Test func `two missed pings are one too many`() {
        var liveness = Liveness()
        var isAlive: [Bool] = []
        for tick in 0..<5 {
            if tick == 2 { liveness.heard() }
            isAlive.append(liveness.tick())
        }
        #expect(isAlive == [true, true, true, true, false])
    }
}
