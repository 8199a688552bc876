/// One configuration key: the row that reading, the documentation and the search for unknown keys all go by.
package struct SettingKey: Sendable {
    /// Where a value may come from.
    package enum Place: Sendable {
        case fileOrEnvironment
        /// Refused in the file.
        case environmentOnly
    }

    /// The dotted YAML name, for example `server.port`; `<id>` stands for a free name.
    package let name: String
    /// The environment variable, or nil when only the file can set it.
    package let variable: String?
    package let kind: SettingKind
    /// The default as it would be written in the file; nil when there is none.
    package let defaultText: String?
    /// What the documentation says in place of a default that has no fixed text.
    package let defaultNote: String?
    /// A value for the example file, for a key without a default.
    package let example: String?
    /// `s`, `bytes` and the like; empty when the value has none.
    package let unit: String
    /// One sentence for the documentation.
    package let summary: String
    package let place: Place
    /// Whether the value is kept out of every text.
    package let isSecret: Bool

    init(
        _ name: String,
        variable: String? = nil,
        _ kind: SettingKind,
        default defaultText: String? = nil,
        defaultNote: String? = nil,
        example: String? = nil,
        unit: String = "",
        _ summary: String,
        place: Place = .fileOrEnvironment,
        isSecret: Bool = false
    ) {
        self.name = name
        self.variable = variable
        self.kind = kind
        self.defaultText = defaultText
        self.defaultNote = defaultNote
        self.example = example
        self.unit = unit
        self.summary = summary
        self.place = place
        self.isSecret = isSecret
    }

    /// The names from the file's top to the value, with `id` in the place of `<id>`.
    func path(id: String?) -> [String] {
        self.name.split(separator: ".").map { $0 == "<id>" ? id ?? "<id>" : String($0) }
    }

    /// The dotted name as a reader of an error message knows it.
    func name(id: String?) -> String {
        self.path(id: id).joined(separator: ".")
    }

    /// The last part of the name, as it stands in the file.
    package var leaf: String {
        self.name.split(separator: ".").last.map(String.init) ?? self.name
    }

    static let all: [SettingKey] = Settings.sections.flatMap(\.keys)

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// The row of that name; asking for one that is not in the table is a programmer's mistake.
    static func named(_ name: String) -> SettingKey {
        guard let key = self.byName[name] else { preconditionFailure("no row in the table of settings: \(name)") }
        return key
    }
}
