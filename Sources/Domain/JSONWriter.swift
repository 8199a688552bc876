/// Writes JSON text as bytes, in the order in which it is told to, with raw JSON spliced in where it is given.
///
/// For the token path, and where the order matters: the head of a frame is read by its form, and providers cache a prompt by
/// its bytes, while JSONEncoder promises no order for dictionaries.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(capacity: Int = 0) {
        self.bytes.reserveCapacity(capacity)
    }

    package mutating func object(_ members: (inout JSONWriter) -> Void) {
        self.enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), members)
    }

    package mutating func array(_ elements: (inout JSONWriter) -> Void) {
        self.enclosed(UInt8(ascii: "["), UInt8(ascii: "]"), elements)
    }

    /// The name of the member whose value comes next.
    package mutating func name(_ name: StaticString) {
        self.separate()
        self.bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
        self.bytes.append(contentsOf: [UInt8(ascii: "\""), UInt8(ascii: ":")])
        self.needsComma = false
    }

    package mutating func string(_ text: String) {
        self.separate()
        self.bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            self.bytes.reserveCapacity(self.bytes.count + utf8.count + 16)
            self.appendEscaped(utf8)
        }
        self.bytes.append(UInt8(ascii: "\""))
        self.needsComma = true
    }

    /// JSON text as it is.
    package mutating func raw(_ json: String) {
        self.raw(json.utf8)
    }

    /// JSON text as it is, in UTF-8.
    package mutating func raw(_ json: some Sequence<UInt8>) {
        self.separate()
        self.bytes.append(contentsOf: json)
        self.needsComma = true
    }

    package mutating func member(_ name: StaticString, _ text: String) {
        self.name(name)
        self.string(text)
    }

    package mutating func member(_ name: StaticString, raw json: String) {
        self.name(name)
        self.raw(json)
    }

    private mutating func enclosed(_ open: UInt8, _ close: UInt8, _ content: (inout JSONWriter) -> Void) {
        self.separate()
        self.bytes.append(open)
        self.needsComma = false
        content(&self)
        self.bytes.append(close)
        self.needsComma = true
    }

    private mutating func separate() {
        if self.needsComma { self.bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func appendEscaped(_ utf8: UnsafeBufferPointer<UInt8>) {
        var copied = 0
        for (index, byte) in utf8.enumerated() {
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            self.bytes.append(contentsOf: utf8[copied..<index])
            copied = index + 1
            self.bytes.append(UInt8(ascii: "\\"))
            switch byte {
            case 0x0a: self.bytes.append(UInt8(ascii: "n"))
            case 0x0d: self.bytes.append(UInt8(ascii: "r"))
            case 0x09: self.bytes.append(UInt8(ascii: "t"))
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                self.bytes.append(contentsOf: "u00".utf8)
                self.bytes.append(contentsOf: [digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            default: self.bytes.append(byte)
            }
        }
        self.bytes.append(contentsOf: utf8[copied...])
    }
}
