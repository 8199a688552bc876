/// Prometheus' text format 0.0.4 as it grows.
///
/// Source: Prometheus, "Exposition formats", text-based format.
struct ExpositionText {
    private(set) var text = ""

    /// Begins a family; its lines follow.
    mutating func beginFamily(_ name: String, kind: MetricKind, help: String) {
        self.text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n"
        self.text += "# TYPE \(name) \(kind.rawValue)\n"
    }

    /// `bound` is the upper bound of a bucket: the label `le`, after the others.
    mutating func addLine(
        _ name: String,
        suffix: String = "",
        _ labels: SeriesLabels,
        bound: Double? = nil,
        _ value: String
    ) {
        self.text += name
        self.text += suffix
        self.addLabels(labels.text, bound)
        self.text += " "
        self.text += value
        self.text += "\n"
    }

    private mutating func addLabels(_ labels: String, _ bound: Double?) {
        guard !labels.isEmpty || bound != nil else { return }
        self.text += "{"
        self.text += labels
        if let bound {
            self.text += labels.isEmpty ? "le=\"" : ",le=\""
            self.text += Self.number(bound)
            self.text += "\""
        }
        self.text += "}"
    }

    /// A number as Go reads it: whole ones without a fraction, `+Inf`, `-Inf`, `NaN`.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return value.description
    }

    /// Backslash and line feed are escaped, in a label's value also the quote.
    ///
    /// Byte by byte: to Swift, a carriage return and a line feed are one character that is neither.
    static func escaped(_ text: String, quotes: Bool) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += [byte, byte]
            case UInt8(ascii: "\n"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case UInt8(ascii: "\"") where quotes: bytes += [UInt8(ascii: "\\"), byte]
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
