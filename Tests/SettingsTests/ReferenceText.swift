import Settings

/// The documentation and the example file, written from the table of keys.
enum ReferenceText {
    /// The tables of docs/configuration.md, one per section.
    static func keyTables() -> String {
        Settings.sections.map { section in
            let rows = section.keys.map(self.row).joined(separator: "\n")
            return """
                ### `\(section.name)`

                \(section.summary)

                | Key | Variable | Default | Unit | Values | Meaning |
                |---|---|---|---|---|---|
                \(rows)
                """
        }.joined(separator: "\n\n")
    }

    /// The table of variables that are no settings of ours.
    static func variableTable() -> String {
        let rows = PassedVariable.known.map { "| `\($0.name)` | \($0.summary) |" }
        return (["| Variable | Meaning |", "|---|---|"] + rows).joined(separator: "\n")
    }

    /// The whole of config/penguin.yaml.
    static func exampleFile() -> String {
        let head = """
            # Penguin's configuration: every key with its default. What is commented out is in force as it stands
            # (or, where there is no default, shows what a value looks like). Remove the # before a key to change it.
            #
            # A variable of the environment, named in brackets, wins over this file. Keys and passwords are read from
            # the environment only. docs/configuration.md explains all of it.

            """
        return head + Settings.sections.map(self.exampleSection).joined()
    }

    private static func row(_ key: SettingKey) -> String {
        let name = key.place == .environmentOnly ? "environment only" : "`\(key.name)`"
        let variable = key.variable.map { "`\($0)`" } ?? ""
        let fallback = key.defaultText.map { "`\($0)`" } ?? key.defaultNote ?? "none"
        return "| \(name) | \(variable) | \(fallback) | \(key.unit) | \(key.kind.allowed) | \(key.summary) |"
    }

    private static func exampleSection(_ section: SettingSection) -> String {
        var lines = [""] + self.comment(section.summary, indent: "") + ["\(section.name):"]
        if section.isNamed { lines.append(section.name == "tenants" ? "  #my-tenant:" : "  #my-model:") }
        let indent = section.isNamed ? "    " : "  "
        for key in section.keys {
            lines += self.comment(self.remark(key), indent: indent)
            if key.place == .environmentOnly { continue }
            guard let value = key.defaultText ?? key.example else { continue }
            lines.append("\(indent)#\(key.leaf): \(value.hasSuffix(":") ? "\"\(value)\"" : value)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func remark(_ key: SettingKey) -> String {
        if key.place == .environmentOnly { return "\(key.variable ?? key.leaf) (not in this file): \(key.summary)" }
        var remark = key.summary
        if !key.unit.isEmpty { remark += " Unit: \(key.unit)." }
        if let note = key.defaultNote {
            remark += note == "required" ? " Required." : " Default: \(note)."
        } else if key.defaultText == nil {
            remark += " Default: none."
        }
        if key.defaultText == nil, key.example == nil { return "\(key.leaf): \(remark)" }
        return key.variable.map { "\(remark) [\($0)]" } ?? remark
    }

    private static func comment(_ text: String, indent: String) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + word.count < 110 {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append("\(indent)# \(word)")
            }
        }
        return lines
    }
}
