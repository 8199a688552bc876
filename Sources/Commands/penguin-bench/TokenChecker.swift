import Foundation

/// Holds the text of one answer against what the provider wrote: every byte once and in its place.
struct TokenChecker: Sendable {
    private let order: ChatOrder
    /// How much of the expected text has come.
    private var position = 0
    /// The first word, while it is read; nil when there is none or it is complete.
    private var stampText: [UInt8]?
    /// Tokens that have come.
    private(set) var tokens = 0
    /// When the provider wrote the first token.
    private(set) var stamp: Moment?
    /// The first thing that was wrong.
    private(set) var fault: String?

    init(_ order: ChatOrder) {
        self.order = order
        self.stampText = order.isStamped ? [] : nil
    }

    /// Takes the next piece of the text.
    mutating func take(_ piece: UnsafeRawBufferPointer) {
        guard self.fault == nil else { return }
        let rest = self.stampText == nil ? piece : self.takeStamp(piece)
        guard let start = rest.baseAddress, !rest.isEmpty else { return }
        let isNext = self.order.expected.withUnsafeBytes { expected in
            guard let all = expected.baseAddress, self.position + rest.count <= expected.count else { return false }
            return memcmp(all + self.position, start, rest.count) == 0
        }
        guard isNext else { return self.refuse(rest) }
        self.position += rest.count
        for byte in rest where byte == UInt8(ascii: " ") { self.tokens += 1 }
    }

    /// Looks whether all has come; the answer has ended.
    mutating func end() {
        guard self.fault == nil, self.tokens != self.order.tokens else { return }
        self.fault = "\(self.order.tokens - self.tokens) of \(self.order.tokens) tokens are missing at the end"
    }

    /// Begins anew with a text that replaces what came before.
    mutating func restart(with text: String) {
        let fault = self.fault
        self = TokenChecker(self.order)
        self.fault = fault
        var text = text
        text.withUTF8 { self.take(UnsafeRawBufferPointer($0)) }
    }

    /// Reads `stamp@<ns> ` and returns what follows.
    private mutating func takeStamp(_ piece: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard let space = piece.firstIndex(of: UInt8(ascii: " ")) else {
            self.stampText?.append(contentsOf: piece)
            return UnsafeRawBufferPointer(rebasing: piece.suffix(0))
        }
        let word = String(decoding: (self.stampText ?? []) + piece[..<space], as: UTF8.self)
        self.stampText = nil
        if word.hasPrefix("stamp@"), let nanoseconds = UInt64(word.dropFirst("stamp@".count)) {
            self.stamp = Moment(nanoseconds: nanoseconds)
            self.tokens = 1
        } else {
            self.fault = "the answer begins with '\(word)' and not with a stamp"
        }
        return UnsafeRawBufferPointer(rebasing: piece[(space + 1)...])
    }

    private mutating func refuse(_ piece: UnsafeRawBufferPointer) {
        let expected = String(decoding: self.order.expected.dropFirst(self.position).prefix(24), as: UTF8.self)
        let got = String(decoding: piece.prefix(24), as: UTF8.self)
        self.fault = "out of order after \(self.tokens) tokens: expected '\(expected)', got '\(got)'"
    }
}
