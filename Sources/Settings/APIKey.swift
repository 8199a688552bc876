/// A key that clients of the API may show, with the name it goes by in logs and quotas; printing shows only the name.
package struct APIKey: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The name before `=`, or nil.
    package let name: String?
    /// The key itself, at least `keyCharactersMin` printable ASCII characters.
    package let key: String
    /// Whether its holder may change what is everybody's; said by `server.admin_keys`, so false at first.
    package let isAdmin: Bool

    package static let keyCharactersMin = 16

    package init(name: String?, key: String, isAdmin: Bool = false) {
        self.name = name
        self.key = key
        self.isAdmin = isAdmin
    }

    package var description: String { "APIKey(\(self.name ?? "unnamed"))" }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: ["name": self.name as Any]) }

    /// Splits `[name=]key`.
    ///
    /// Padding at the end of a Base64 key is no separator: `abc==` is a key, `web=abc==` a name and a key.
    init(entry: String) {
        let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, !parts[1].allSatisfy({ $0 == "=" }) {
            self.init(name: String(parts[0]), key: String(parts[1]))
        } else {
            self.init(name: nil, key: entry)
        }
    }

    /// What is wrong with it, in words that give nothing of it away; nil when nothing is.
    var complaint: String? {
        if let name, !Self.isName(name) {
            return "has a name that is not 1 to 64 letters, digits, '.', '_' or '-'"
        }
        if self.key.count < Self.keyCharactersMin {
            return "has a key of fewer than \(Self.keyCharactersMin) characters"
        }
        guard self.key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            return "has a key with a character that is not printable ASCII"
        }
        return nil
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(NameCharacters.isPlain)
    }
}
