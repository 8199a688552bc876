import Foundation
import Yams

/// Reads one value after the other, environment over file over default, and gathers what is wrong.
///
/// A value that is wrong is replaced by the default, so that reading goes on and finds the next problem;
/// `finish` then throws them all. Nothing that was read is used before that.
struct SettingsReader {
    let file: SettingsFile?
    let environment: [String: String]
    private(set) var problems: [SettingsError.Problem] = []
    /// The names asked for: a test holds them to the table.
    private(set) var namesRead: Set<String> = []

    /// A value as it was written, with its place.
    struct Given {
        let text: String
        let origin: SettingsError.Origin
    }

    init(file: URL?, environment: [String: String]) {
        self.environment = environment
        do throws(SettingsError.Problem) {
            self.file = try SettingsFile.find(named: file, environment: environment)
        } catch {
            self.file = nil
            self.problems = [error]
        }
        self.problems += UnknownKeys.problems(in: self.file)
    }

    /// Throws when there was any problem.
    func finish() throws(SettingsError) {
        guard self.problems.isEmpty else { throw SettingsError(problems: self.problems) }
    }

    // Keys with a default in the table.

    mutating func integer(_ name: String, id: String? = nil) -> Int {
        guard let value = self.optionalInteger(name, id: id) else { Self.missingDefault(name) }
        return value
    }

    mutating func duration(_ name: String) -> Duration {
        let kind = SettingKey.named(name).kind
        guard let value = self.parsed(name, id: nil, with: kind.number(from:)) else { Self.missingDefault(name) }
        return .seconds(value)
    }

    mutating func number(_ name: String, id: String? = nil) -> Double {
        guard let value = self.optionalNumber(name, id: id) else { Self.missingDefault(name) }
        return value
    }

    mutating func flag(_ name: String, id: String? = nil) -> Bool {
        let kind = SettingKey.named(name).kind
        guard let value = self.parsed(name, id: id, with: kind.flag(from:)) else { Self.missingDefault(name) }
        return value
    }

    /// A choice whose names are the raw values of `Value`.
    mutating func choice<Value: RawRepresentable<String>>(_ name: String) -> Value {
        guard let value = self.optionalChoice(name).flatMap(Value.init(rawValue:)) else { Self.missingDefault(name) }
        return value
    }

    // Keys that may have no value.

    mutating func optionalInteger(_ name: String, id: String? = nil) -> Int? {
        self.parsed(name, id: id, with: SettingKey.named(name).kind.integer(from:))
    }

    mutating func optionalNumber(_ name: String, id: String? = nil) -> Double? {
        self.parsed(name, id: id, with: SettingKey.named(name).kind.number(from:))
    }

    mutating func optionalChoice(_ name: String, id: String? = nil) -> String? {
        self.parsed(name, id: id, with: SettingKey.named(name).kind.choice(from:))
    }

    /// A text that must satisfy `check`.
    mutating func text(_ name: String, id: String? = nil, where check: (String) -> Bool = { !$0.isEmpty }) -> String? {
        self.parsed(name, id: id) { check($0) ? $0 : nil }
    }

    /// A list whose entries must each satisfy `check`; empty without a value.
    mutating func list(_ name: String, where check: (String) -> Bool) -> [String] {
        let entries = self.parsed(name, id: nil) { text -> [String]? in
            let entries = Self.entries(of: text)
            return entries.allSatisfy(check) ? entries : nil
        }
        return entries ?? []
    }

    mutating func path(_ name: String) -> URL? {
        let environment = self.environment
        return self.parsed(name, id: nil) { PathText.url($0, environment: environment) }
    }

    /// The parts between commas, without blanks around them and without empty ones.
    static func entries(of text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.filter { !$0.isEmpty }
    }

    /// What was written for a key, the environment first; nil when the default applies.
    ///
    /// A blank variable counts as not set, as `NAME=` in an env file or a compose file means it.
    mutating func given(_ name: String, id: String? = nil) -> Given? {
        let key = SettingKey.named(name)
        self.namesRead.insert(name)
        if let variable = key.variable, let value = self.environment[variable] {
            let text = value.trimmingCharacters(in: .whitespacesAndNewlines)
            if !text.isEmpty { return Given(text: text, origin: .variable(variable)) }
        }
        guard key.place == .fileOrEnvironment, let file = self.file else { return nil }
        guard let (node, line) = file.value(at: key.path(id: id)), !node.isNothing else { return nil }
        let origin = file.origin(line: line)
        guard let text = Self.text(of: node, kind: key.kind) else {
            self.add(.badValue, name, id: id, "expected \(key.kind.allowed), found a map or list", at: origin)
            return nil
        }
        return Given(text: text, origin: origin)
    }

    /// Notes that a value is wrong; quotes it unless the key is secret.
    mutating func refuse(_ name: String, id: String? = nil, _ given: Given, because reason: String? = nil) {
        let key = SettingKey.named(name)
        let shown = key.isSecret ? "the value (not shown)" : SettingsError.quoted(given.text)
        let reason = reason ?? "expected \(key.kind.allowed)"
        self.add(.badValue, name, id: id, "\(shown) does not fit: \(reason)", at: given.origin)
    }

    mutating func add(
        _ code: SettingsError.Code,
        _ name: String,
        id: String? = nil,
        _ message: String,
        at origin: SettingsError.Origin
    ) {
        let key = SettingKey.named(name).name(id: id)
        self.problems.append(SettingsError.Problem(code: code, key: key, message: message, origin: origin))
    }

    /// Notes a problem with a whole section.
    mutating func add(
        _ code: SettingsError.Code,
        under section: String,
        _ message: String,
        at origin: SettingsError.Origin
    ) {
        self.problems.append(SettingsError.Problem(code: code, key: section, message: message, origin: origin))
    }

    /// Notes that a key's value, fine by itself, does not go with the other's; silent when either is wrong by itself.
    mutating func contradiction(_ name: String, with other: String, _ message: String) {
        guard !self.problems.contains(where: { $0.key == name || $0.key == other }) else { return }
        self.add(.badValue, name, message, at: self.given(name)?.origin ?? .defaults)
    }

    mutating func isFromEnvironment(_ name: String) -> Bool {
        guard case .variable = self.given(name)?.origin else { return false }
        return true
    }

    private mutating func parsed<Value>(_ name: String, id: String?, with parse: (String) -> Value?) -> Value? {
        let fallback = SettingKey.named(name).defaultText
        guard let given = self.given(name, id: id) else { return fallback.flatMap(parse) }
        if let value = parse(given.text) { return value }
        self.refuse(name, id: id, given)
        return fallback.flatMap(parse)
    }

    /// The text of a scalar; a YAML list becomes the comma-separated form that a variable has.
    private static func text(of node: Node, kind: SettingKind) -> String? {
        if let scalar = node.scalar { return scalar.string.trimmingCharacters(in: .whitespacesAndNewlines) }
        guard case .list = kind, let sequence = node.sequence else { return nil }
        let texts = sequence.compactMap { $0.scalar?.string }
        return texts.count == sequence.count ? texts.joined(separator: ",") : nil
    }

    private static func missingDefault(_ name: String) -> Never {
        preconditionFailure("the default of \(name) in the table is missing or does not fit its kind")
    }
}
