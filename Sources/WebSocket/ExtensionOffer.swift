/// One entry of a `Sec-WebSocket-Extensions` header: a name and its parameters.
///
/// RFC 6455, section 9.1.
struct ExtensionOffer: Equatable {
    struct Parameter: Equatable {
        let name: String
        /// Nil when the parameter stands alone.
        let value: String?
    }

    let name: String
    let parameters: [Parameter]

    /// The entries in order; empty when any of them is malformed.
    static func parse(_ header: String) -> [ExtensionOffer] {
        var offers: [ExtensionOffer] = []
        for entry in self.split(header, at: ",") {
            let parts = self.split(entry, at: ";").map(self.trimmed)
            guard let name = parts.first, self.isToken(name) else { return [] }
            var parameters: [Parameter] = []
            for part in parts.dropFirst() {
                guard let parameter = Parameter(part) else { return [] }
                parameters.append(parameter)
            }
            offers.append(ExtensionOffer(name: name.lowercased(), parameters: parameters))
        }
        return offers
    }

    /// Splits at a separator outside of quotes.
    private static func split(_ text: String, at separator: Character) -> [String] {
        var parts = [""]
        var isQuoted = false
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if character == separator, !isQuoted {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts
    }

    fileprivate static func trimmed(_ text: String) -> String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        var rest = text[...].drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return String(rest)
    }

    fileprivate static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x21...0x7E).contains(byte) && !"()<>@,;:\\\"/[]?={}".utf8.contains(byte)
            }
    }
}

extension ExtensionOffer.Parameter {
    /// Nil when it is neither a token nor a token with a value, which may be quoted.
    fileprivate init?(_ text: String) {
        guard let equals = text.firstIndex(of: "=") else {
            guard ExtensionOffer.isToken(text) else { return nil }
            self.init(name: text.lowercased(), value: nil)
            return
        }
        let name = ExtensionOffer.trimmed(String(text[..<equals]))
        var value = ExtensionOffer.trimmed(String(text[text.index(after: equals)...]))
        if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
            value = String(value.dropFirst().dropLast())
        }
        guard ExtensionOffer.isToken(name), ExtensionOffer.isToken(value) else { return nil }
        self.init(name: name.lowercased(), value: value)
    }
}
