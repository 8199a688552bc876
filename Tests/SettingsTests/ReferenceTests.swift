import Domain
import Foundation
import Settings
import Testing

/// Holds docs/configuration.md and config/penguin.yaml to the table of keys.
///
/// With `PENGUIN_UPDATE_REFERENCE=1` in the environment the files are written instead of compared.
@Suite(.timeLimit(.minutes(1)))
struct ReferenceTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let document = root.appending(path: "docs/configuration.md")
    private static let example = root.appending(path: "config/penguin.yaml")
    private static let updates = ProcessInfo.processInfo.environment["PENGUIN_UPDATE_REFERENCE"] == "1"

    @Test func `the documentation says what the table says`() throws {
        var text = try String(contentsOf: Self.document, encoding: .utf8)
        let parts = [("keys", ReferenceText.keyTables()), ("variables", ReferenceText.variableTable())]
        for (name, part) in parts {
            let start = try #require(text.range(of: "<!-- \(name) -->\n"))
            let end = try #require(text.range(of: "\n<!-- end of \(name) -->"))
            if Self.updates {
                text.replaceSubrange(start.upperBound..<end.lowerBound, with: part)
            } else {
                #expect(text[start.upperBound..<end.lowerBound] == part)
            }
        }
        if Self.updates { try text.write(to: Self.document, atomically: true, encoding: .utf8) }
        #expect(text.contains("`PENGUIN_CONFIG`"))
    }

    @Test func `the example file is what the table gives`() throws {
        if Self.updates { try ReferenceText.exampleFile().write(to: Self.example, atomically: true, encoding: .utf8) }
        #expect(try String(contentsOf: Self.example, encoding: .utf8) == ReferenceText.exampleFile())
    }

    @Test func `the example file as it is changes nothing`() throws {
        let environment = ["HOME": "/home/penguin"]
        let shipped = try Settings(file: Self.example, environment: environment)
        let nothing = try withFile("") { try Settings(file: $0, environment: environment) }
        #expect(shipped.description == nothing.description)
    }

    @Test func `the example file with every comment sign removed is valid`() throws {
        let lines = ReferenceText.exampleFile().split(separator: "\n", omittingEmptySubsequences: false)
        let text = lines.map { $0.replacing(#/^( *)#(?=[a-z])/#) { $0.output.1 } }.joined(separator: "\n")
        let settings = try withFile(text) { try Settings(file: $0, environment: ["HOME": "/home/penguin"]) }
        #expect(settings.llm.modelConfigurations.map(\.id) == ["my-model"])
        #expect(settings.llm.modelConfigurations.first?.reasoningEffort == "medium")
        #expect(settings.redis.url == Secret("redis://127.0.0.1:6379/0"))
        #expect(settings.redis.keyPrefix == "penguin:")
        #expect(settings.server.corsOrigins == ["http://localhost:3000"])
        for key in Settings.sections.flatMap(\.keys) where key.place == .fileOrEnvironment && key.leaf != "max_tokens" {
            #expect(text.contains("\n  \(key.leaf): ") || text.contains("\n    \(key.leaf): "))
        }
    }
}
