/// The providers' keys, taken from the environment that is handed in; shown by no description.
package struct ProviderKeys: Sendable {
    private let environment: [String: String]

    /// The keys of an environment.
    package init(environment: [String: String]) {
        self.environment = environment
    }

    /// The value of a variable without surrounding spaces; nil when unset or empty.
    func value(of variable: String) -> String? {
        let start = self.environment[variable]?.drop(while: \.isWhitespace) ?? ""
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return nil }
        return String(start[...end])
    }

    /// The text without any key: neither `used` nor another provider's, nor what only looks like one.
    ///
    /// Some providers quote the key they refuse, whole or with its middle starred.
    func redact(_ text: String, used: String?) -> String {
        var redacted = text
        let others = self.environment.keys.filter { $0.hasSuffix("_API_KEY") }.compactMap(self.value(of:))
        for key in [used].compactMap(\.self) + others where key.count >= Self.keyCharactersMin {
            redacted = redacted.split(separator: key, omittingEmptySubsequences: false).joined(separator: "[key]")
        }
        return Self.redactLookalikes(redacted)
    }

    /// Shorter values are placeholders such as `x`, which occur in any text.
    private static let keyCharactersMin = 4

    private static func redactLookalikes(_ text: String) -> String {
        guard text.contains("sk-") else { return text }
        return text.replacing(#/\bsk-[A-Za-z0-9_\-*.…]{4,}/#, with: "[key]")
    }
}

extension ProviderKeys: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "ProviderKeys" }
    package var debugDescription: String { "ProviderKeys" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
