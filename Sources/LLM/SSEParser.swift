import Foundation

/// Finds the data of server-sent events in bytes that are cut anywhere.
///
/// Follows the event stream format of the HTML standard: lines end with LF, CRLF or CR, comments and the fields
/// `event`, `id` and `retry` are passed over, several `data` lines of one event are joined by LF. An event's data is
/// handed over in place, without a copy, when all of it came in one piece.
struct SSEParser {
    /// Thrown for a line or an event longer than `eventBytesMax`.
    struct TooLong: Error {}

    static let eventBytesMax = 1024 * 1024

    /// The line whose end has not come yet.
    private var line: [UInt8] = []
    /// Data of the event whose end has not come yet; nil before its first data line.
    private var data: [UInt8]?
    /// Whether the last piece ended with a CR, which a LF may still complete.
    private var endedWithCR = false
    private var isFirstLine = true
    /// Whether there was a line that no event stream has.
    private(set) var sawForeignLine = false

    /// Takes the next piece; `take` gets each event's data and returns false to stop for good.
    mutating func feed(
        _ piece: UnsafeRawBufferPointer,
        _ take: (UnsafeRawBufferPointer) -> Bool
    ) throws(TooLong) {
        var start = 0
        if self.endedWithCR, let first = piece.first {
            self.endedWithCR = false
            if first == Self.lf { start = 1 }
        }
        // The data line that is still in place in this piece.
        var inPlace: UnsafeRawBufferPointer?
        var nextLF = Self.index(of: Self.lf, in: piece, from: start)
        while start < piece.count {
            if nextLF < start { nextLF = Self.index(of: Self.lf, in: piece, from: start) }
            let end = Self.index(of: Self.cr, in: UnsafeRawBufferPointer(rebasing: piece[..<nextLF]), from: start)
            guard end < piece.count else { break }
            let content = UnsafeRawBufferPointer(rebasing: piece[start..<end])
            start = self.startOfNextLine(after: end, in: piece)
            if self.line.isEmpty {
                guard try self.endLine(content, &inPlace, take) else { return }
            } else {
                // Only the first line of a piece can have begun before it, so nothing is in place yet.
                let whole = self.line + content
                self.line.removeAll(keepingCapacity: true)
                let goesOn = try Self.withBytes(of: whole) { bytes throws(TooLong) in
                    var copied: UnsafeRawBufferPointer?
                    let goesOn = try self.endLine(bytes, &copied, take)
                    if let copied { try self.keep(copied) }
                    return goesOn
                }
                guard goesOn else { return }
            }
        }
        if let inPlace { try self.keep(inPlace) }
        guard start < piece.count else { return }
        self.line.append(contentsOf: piece[start...])
        guard self.line.count <= Self.eventBytesMax else { throw TooLong() }
    }

    /// Hands over what is left when the stream has ended without the empty line that ends its last event.
    mutating func finish(_ take: (UnsafeRawBufferPointer) -> Bool) throws(TooLong) {
        let rest = self.line
        self.line = []
        try Self.withBytes(of: rest) { bytes throws(TooLong) in
            var inPlace: UnsafeRawBufferPointer?
            guard rest.isEmpty ? true : try self.endLine(bytes, &inPlace, take) else { return }
            if let inPlace { try self.keep(inPlace) }
            _ = try self.endLine(UnsafeRawBufferPointer(start: nil, count: 0), &inPlace, take)
        }
    }
}

extension SSEParser {
    private static let lf = UInt8(ascii: "\n")
    private static let cr = UInt8(ascii: "\r")

    /// The first such byte at or after `start`, or the count.
    private static func index(of byte: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard start < bytes.count, let base = bytes.baseAddress,
            let found = memchr(base + start, Int32(byte), bytes.count - start)
        else { return bytes.count }
        return UnsafeRawPointer(found) - base
    }

    private static func withBytes<R>(
        of array: [UInt8],
        _ body: (UnsafeRawBufferPointer) throws(TooLong) -> R
    ) throws(TooLong) -> R {
        try array.withUnsafeBufferPointer { buffer throws(TooLong) in try body(UnsafeRawBufferPointer(buffer)) }
    }

    private mutating func startOfNextLine(after end: Int, in piece: UnsafeRawBufferPointer) -> Int {
        guard piece[end] == Self.cr else { return end + 1 }
        guard end + 1 < piece.count else {
            self.endedWithCR = true
            return end + 1
        }
        return piece[end + 1] == Self.lf ? end + 2 : end + 1
    }

    /// Takes one whole line; false when `take` wants no more.
    private mutating func endLine(
        _ whole: UnsafeRawBufferPointer,
        _ inPlace: inout UnsafeRawBufferPointer?,
        _ take: (UnsafeRawBufferPointer) -> Bool
    ) throws(TooLong) -> Bool {
        var line = whole
        if self.isFirstLine {
            self.isFirstLine = false
            if line.starts(with: [0xef, 0xbb, 0xbf]) { line = UnsafeRawBufferPointer(rebasing: line[3...]) }
        }
        guard !line.isEmpty else { return self.endEvent(&inPlace, take) }
        guard let value = Self.dataValue(of: line) else {
            if !Self.isOtherField(line) { self.sawForeignLine = true }
            return true
        }
        if let first = inPlace { try self.keep(first) }
        inPlace = nil
        if self.data == nil { inPlace = value } else { try self.keep(value) }
        return true
    }

    private mutating func endEvent(
        _ inPlace: inout UnsafeRawBufferPointer?,
        _ take: (UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        if let event = inPlace.take() { return event.isEmpty || take(event) }
        guard let event = self.data.take(), !event.isEmpty else { return true }
        return event.withUnsafeBytes(take)
    }

    /// Copies a data line, since its piece goes away or another line follows.
    private mutating func keep(_ value: UnsafeRawBufferPointer) throws(TooLong) {
        if self.data == nil {
            self.data = [UInt8](value)
        } else {
            self.data?.append(Self.lf)
            self.data?.append(contentsOf: value)
        }
        guard (self.data?.count ?? 0) <= Self.eventBytesMax else { throw TooLong() }
    }

    /// What follows `data:` and at most one space; nil for any other line.
    private static func dataValue(of line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard line.count >= 4, line.starts(with: "data".utf8) else { return nil }
        guard line.count > 4 else { return UnsafeRawBufferPointer(rebasing: line[4...]) }
        guard line[4] == UInt8(ascii: ":") else { return nil }
        let hasSpace = line.count > 5 && line[5] == UInt8(ascii: " ")
        return UnsafeRawBufferPointer(rebasing: line[(hasSpace ? 6 : 5)...])
    }

    /// A comment or a field that matters to browsers only.
    private static func isOtherField(_ line: UnsafeRawBufferPointer) -> Bool {
        let name = line.prefix { $0 != UInt8(ascii: ":") }
        return name.isEmpty || ["event", "id", "retry"].contains { name.elementsEqual($0.utf8) }
    }
}
