import Yams

/// Finds what a file holds and the table does not, and secrets that do not belong there.
///
/// Values are never quoted here: what stands under an unknown name may be a secret.
enum UnknownKeys {
    static func problems(in file: SettingsFile?) -> [SettingsError.Problem] {
        guard let file else { return [] }
        return file.root.flatMap { pair in self.section(pair.key, pair.value, in: file) }
    }

    private static func section(_ key: Node, _ value: Node, in file: SettingsFile) -> [SettingsError.Problem] {
        let name = key.string ?? ""
        guard let section = Settings.sections.first(where: { $0.name == name }) else {
            return [self.unknown([name], line: key.mark?.line, in: file)]
        }
        guard !value.isNothing else { return [] }
        guard let mapping = value.mapping else { return [self.noMap([name], line: key.mark?.line, in: file)] }
        if section.isNamed { return mapping.flatMap { self.entry(of: section, $0.key, $0.value, in: file) } }
        return mapping.flatMap { self.leaf([name], $0.key, id: nil, in: file) }
    }

    private static func entry(
        of section: SettingSection,
        _ key: Node,
        _ value: Node,
        in file: SettingsFile
    ) -> [SettingsError.Problem] {
        let path = [section.name, key.string ?? ""]
        guard let mapping = value.mapping else { return [self.noMap(path, line: key.mark?.line, in: file)] }
        return mapping.flatMap { self.leaf(path, $0.key, id: path[1], in: file) }
    }

    private static func leaf(
        _ path: [String],
        _ key: Node,
        id: String?,
        in file: SettingsFile
    ) -> [SettingsError.Problem] {
        let full = path + [key.string ?? ""]
        guard let known = SettingKey.all.first(where: { $0.path(id: id) == full }) else {
            return [self.unknown(full, line: key.mark?.line, in: file)]
        }
        guard known.place == .environmentOnly, let variable = known.variable else { return [] }
        let message = "comes from the environment only: take it out of the file and set \(variable)"
        let code: SettingsError.Code = known.isSecret ? .secretInFile : .badValue
        return [self.problem(code, full, message, line: key.mark?.line, in: file)]
    }

    private static func unknown(_ path: [String], line: Int?, in file: SettingsFile) -> SettingsError.Problem {
        guard let leaf = path.last, !self.looksSecret(leaf) else {
            let message =
                "secrets are not read from the file: take it out and set an environment variable"
                + (path.count == 3 ? ", whose name api_key_env may give" : ", for example OPENAI_API_KEY")
            return self.problem(.secretInFile, path, message, line: line, in: file)
        }
        let hint = NearestName.of(path).map { ": did you mean \($0)?" } ?? ""
        return self.problem(.unknownKey, path, "unknown key\(hint)", line: line, in: file)
    }

    private static func looksSecret(_ name: String) -> Bool {
        let plain = name.lowercased().replacing("-", with: "_")
        return ["api_key", "apikey", "api_keys", "secret", "password", "token"].contains { plain.hasSuffix($0) }
    }

    private static func noMap(_ path: [String], line: Int?, in file: SettingsFile) -> SettingsError.Problem {
        self.problem(.badValue, path, "expected a map of keys", line: line, in: file)
    }

    private static func problem(
        _ code: SettingsError.Code,
        _ path: [String],
        _ message: String,
        line: Int?,
        in file: SettingsFile
    ) -> SettingsError.Problem {
        let key = path.joined(separator: ".")
        return SettingsError.Problem(code: code, key: key, message: message, origin: file.origin(line: line))
    }
}
