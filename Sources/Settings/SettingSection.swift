/// One top-level map of the file and the keys in it.
package struct SettingSection: Sendable {
    /// The YAML name, for example `server`.
    package let name: String
    /// What the section is about, for the documentation.
    package let summary: String
    package let keys: [SettingKey]

    /// Whether it holds entries under names of the user's choice.
    package var isNamed: Bool { self.keys.contains { $0.name.contains("<id>") } }

    init(_ name: String, _ summary: String, keys: [SettingKey]) {
        self.name = name
        self.summary = summary
        self.keys = keys
    }
}
