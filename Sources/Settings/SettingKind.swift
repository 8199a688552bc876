/// What values a key takes: how they are read, and how an error message or the documentation says so.
package enum SettingKind: Sendable {
    /// Any text; the section that reads it checks it and the words say what passes.
    case text(String)
    /// Several texts: a YAML list, or separated by commas.
    case list(String)
    case integer(ClosedRange<Int>)
    /// A duration; fractions are allowed.
    case seconds(ClosedRange<Double>)
    case number(ClosedRange<Double>)
    case choice([String])
    case flag
    /// A file or folder; `~/` stands for the home directory.
    case path

    /// What passes, as the end of "expected …".
    package var allowed: String {
        switch self {
        case .text(let words), .list(let words): words
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .seconds(let range), .number(let range):
            "a number from \(Self.short(range.lowerBound)) to \(Self.short(range.upperBound))"
        case .choice(let names): "one of \(names.joined(separator: ", "))"
        case .flag: "true or false"
        case .path: "a path"
        }
    }

    func integer(from text: String) -> Int? {
        guard case .integer(let range) = self, let value = Int(text), range.contains(value) else { return nil }
        return value
    }

    func number(from text: String) -> Double? {
        switch self {
        case .seconds(let range), .number(let range):
            // `Double` would also read "nan", "inf" and hexadecimal.
            guard text.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: ".") }) else { return nil }
            guard let value = Double(text), range.contains(value) else { return nil }
            return value
        case .text, .list, .integer, .choice, .flag, .path: return nil
        }
    }

    func flag(from text: String) -> Bool? {
        guard case .flag = self else { return nil }
        switch text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: return nil
        }
    }

    func choice(from text: String) -> String? {
        guard case .choice(let names) = self else { return nil }
        return names.first { $0 == text.lowercased() }
    }

    private static func short(_ number: Double) -> String {
        number == number.rounded() ? String(Int(number)) : String(number)
    }
}
