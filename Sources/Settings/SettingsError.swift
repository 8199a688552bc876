/// Why the settings cannot be used: every problem that was found, in the order of the keys.
package struct SettingsError: Error, Sendable, CustomStringConvertible {
    /// What is wrong with one key or with the file.
    package enum Code: String, Sendable {
        case fileMissing, fileUnreadable, fileMalformed, unknownKey, badValue, missingValue, secretInFile
    }

    /// Where a value came from.
    package enum Origin: Hashable, Sendable, CustomStringConvertible {
        case file(path: String, line: Int?)
        case variable(String)
        case defaults

        package var description: String {
            switch self {
            case .file(let path, let line?): "\(path) line \(line)"
            case .file(let path, nil): path
            case .variable(let name): "variable \(name)"
            case .defaults: "default"
            }
        }
    }

    /// One thing to put right.
    package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        package let code: Code
        /// The dotted name; empty when the whole file is meant.
        package let key: String
        /// What is wrong and what is allowed; quotes the value unless it may be a secret.
        package let message: String
        package let origin: Origin

        package var description: String {
            self.key.isEmpty ? "\(self.origin): \(self.message)" : "\(self.key) (\(self.origin)): \(self.message)"
        }
    }

    package let problems: [Problem]

    /// A line that counts them, then one line each.
    package var description: String {
        let count = self.problems.count == 1 ? "1 problem" : "\(self.problems.count) problems"
        return (["\(count) in the configuration:"] + self.problems.map { "- \($0)" }).joined(separator: "\n")
    }

    /// A value as it may be quoted: control characters escaped, so that it stays on its line, and cut when long.
    static func quoted(_ value: String) -> String {
        let shownMax = 80
        return value.count > shownMax ? "\(String(value.prefix(shownMax)).debugDescription)…" : value.debugDescription
    }
}
