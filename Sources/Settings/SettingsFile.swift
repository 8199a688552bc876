import Foundation
import Yams

/// The configuration file as parsed YAML that knows its lines.
struct SettingsFile {
    /// More is no configuration: whoever names a device or a database by mistake is told so.
    static let bytesMax = 1 << 20
    /// The default place, relative to the working directory.
    static let defaultPath = "config/penguin.yaml"

    let url: URL
    let root: Node.Mapping

    /// Finds and parses the file; nil when none was named and the default place has none.
    static func find(named: URL?, environment: [String: String]) throws(SettingsError.Problem) -> SettingsFile? {
        if let named { return try SettingsFile(reading: named) }
        let variable = environment["PENGUIN_CONFIG"]?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        guard variable.isEmpty else {
            guard let url = PathText.url(variable, environment: environment) else {
                throw SettingsError.Problem(
                    code: .fileMissing,
                    key: "",
                    message:
                        "\(SettingsError.quoted(variable)) is no path (a ~ needs HOME to be set)",
                    origin: .variable("PENGUIN_CONFIG")
                )
            }
            return try SettingsFile(reading: url)
        }
        let url = URL(filePath: self.defaultPath)
        return FileManager.default.fileExists(atPath: url.path) ? try SettingsFile(reading: url) : nil
    }

    init(reading url: URL) throws(SettingsError.Problem) {
        self.url = url
        let text = try Self.text(of: url)
        do {
            guard let node = try Yams.compose(yaml: text), !node.isNothing else {
                self.root = Node.Mapping([])
                return
            }
            guard let mapping = node.mapping else {
                throw Self.problem(.fileMalformed, "the file must be a map of sections", at: node.mark?.line, of: url)
            }
            self.root = mapping
        } catch let error as YamlError {
            throw Self.problem(.fileMalformed, error.plainMessage, at: error.line, of: url)
        } catch let problem as SettingsError.Problem {
            throw problem
        } catch {
            throw Self.problem(.fileMalformed, "not YAML", of: url)
        }
    }

    /// The value at a path of keys, with the line of its key.
    func value(at path: [String]) -> (node: Node, line: Int?)? {
        var mapping = self.root
        for (depth, name) in path.enumerated() {
            guard let pair = mapping.first(where: { $0.key.string == name }) else { return nil }
            if depth == path.count - 1 { return (pair.value, pair.key.mark?.line) }
            guard let next = pair.value.mapping else { return nil }
            mapping = next
        }
        return nil
    }

    func origin(line: Int?) -> SettingsError.Origin {
        .file(path: self.url.path, line: line)
    }

    private static func text(of url: URL) throws(SettingsError.Problem) -> String {
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw self.problem(.fileMissing, "there is no such file", of: url)
        }
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: url)
            defer { try? handle.close() }
            data = try handle.read(upToCount: self.bytesMax + 1) ?? Data()
        } catch {
            throw self.problem(.fileUnreadable, "the file cannot be read", of: url)
        }
        guard data.count <= self.bytesMax else {
            throw self.problem(.fileUnreadable, "the file is larger than \(self.bytesMax) bytes", of: url)
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw self.problem(.fileMalformed, "the file is not UTF-8 text", of: url)
        }
        return text
    }

    private static func problem(
        _ code: SettingsError.Code,
        _ message: String,
        at line: Int? = nil,
        of url: URL
    ) -> SettingsError.Problem {
        SettingsError.Problem(code: code, key: "", message: message, origin: .file(path: url.path, line: line))
    }
}

extension Node {
    /// Whether nothing was written: `key:`, `key: ~` or `key: null`.
    var isNothing: Bool {
        guard let scalar = self.scalar, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}

extension YamlError {
    /// What the parser found, without the snippet of the file that its `description` shows: it may hold a secret.
    fileprivate var plainMessage: String {
        switch self {
        case .scanner(let context, let problem, _, _), .parser(let context, let problem, _, _),
            .composer(let context, let problem, _, _):
            context.map { "\($0.text), \(problem)" } ?? problem
        case .reader(let problem, _, _, _), .writer(let problem), .emitter(let problem), .representer(let problem):
            problem
        case .duplicatedKeysInMapping(let names, _): "the same key twice: \(names.sorted().joined(separator: ", "))"
        case .no, .memory, .dataCouldNotBeDecoded: "not YAML"
        }
    }

    fileprivate var line: Int? {
        switch self {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        case .no, .memory, .reader, .writer, .emitter, .representer, .dataCouldNotBeDecoded: nil
        }
    }
}
