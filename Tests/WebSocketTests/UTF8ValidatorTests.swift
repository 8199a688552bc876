import Testing

@testable import WebSocket

@Suite(.timeLimit(.minutes(1))) struct UTF8ValidatorTests {
    private func accepts(_ bytes: [UInt8], cutAt cut: Int) -> Bool {
        var validator = UTF8Validator()
        let parts = [Array(bytes[..<cut]), Array(bytes[cut...])]
        for part in parts {
            let isAccepted = part.withUnsafeBytes { validator.accept($0) }
            guard isAccepted else { return false }
        }
        return validator.isComplete
    }

    @Test func `it agrees with the standard library, wherever the text is cut`() {
        let interesting: [UInt8] = [
            0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
            0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...6)).compactMap { _ in interesting.randomElement() }
            let expected = String(validating: bytes, as: UTF8.self) != nil
            let cut = Int.random(in: 0...bytes.count)
            #expect(self.accepts(bytes, cutAt: cut) == expected, "\(bytes) cut at \(cut)")
        }
    }

    @Test func `it finds one bad byte anywhere in a long text`() {
        let text = Array(String(repeating: "abcdefghijk€😀", count: 20).utf8)
        #expect(self.accepts(text, cutAt: 100))
        for index in text.indices {
            var bad = text
            bad[index] = 0xFF
            #expect(!self.accepts(bad, cutAt: 50))
        }
    }
}
