import Domain
import Foundation
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct MessageSearchTests {
    private static let contents = [
        "The quick brown fox", "A lazy dog", "foxes are not dogs", "NOT AND OR NEAR", "say \"hello world\" twice",
        "C++ and C#", "snake_case and kebab-case", "Grüße aus Köln", "日本語 テスト", "content: columns", "a* wildcard",
    ]

    private func withMessages(_ body: (TestStore) async throws -> Void) async throws {
        try await withTestStore { store in
            try await store.conversations { conversations in
                try conversations.ensure("c", of: .default, title: "T", agent: .default)
                for (number, content) in Self.contents.enumerated() {
                    let message = Message(
                        id: MessageID(rawValue: "m\(number)"),
                        role: .user,
                        content: content,
                        timestamp: store.clock.now
                    )
                    try conversations.append(message, to: "c", of: .default)
                }
            }
            try await body(store)
        }
    }

    private func found(_ words: String, limit: Int = 99, in store: TestStore) async throws -> [String] {
        try await store.conversations { try $0.search(words, of: .default, limit: limit).map(\.message.content) }
    }

    @Test(
        arguments: [
            ("fox", ["The quick brown fox"]), ("FOX", ["The quick brown fox"]), ("fox quick", ["The quick brown fox"]),
            ("fox dog", []), ("dog", ["A lazy dog"]), ("not", ["foxes are not dogs", "NOT AND OR NEAR"]),
            ("NOT", ["foxes are not dogs", "NOT AND OR NEAR"]), ("fox NOT quick", []), ("dog OR fox", []),
            ("NOT AND OR NEAR", ["NOT AND OR NEAR"]), ("NEAR(fox quick)", []), ("fo*", []),
            ("a*", ["A lazy dog", "a* wildcard"]),
            ("\"hello", ["say \"hello world\" twice"]), ("\"hello world\"", ["say \"hello world\" twice"]), ("\"", []),
            ("\"\"", []), ("world hello", ["say \"hello world\" twice"]), ("c++", ["C++ and C#"]),
            ("snake_case", ["snake_case and kebab-case"]), ("kebab-case", ["snake_case and kebab-case"]),
            ("grüsse", []),
            ("grüße", ["Grüße aus Köln"]), ("koln", ["Grüße aus Köln"]), ("テスト", ["日本語 テスト"]),
            ("content:columns", ["content: columns"]), ("content: columns", ["content: columns"]),
            ("{content}: fox", []),
            ("^fox", ["The quick brown fox"]), ("-fox", ["The quick brown fox"]), ("(fox", ["The quick brown fox"]),
            ("fox)", ["The quick brown fox"]), ("+", []), ("***", []), ("fox ***", ["The quick brown fox"]), ("", []),
            (" \t\n", []), ("'; DROP TABLE messages; --", []), ("fox\u{0}", ["The quick brown fox"]), ("\u{0}", []),
            ("fox\u{A0}quick", ["The quick brown fox"]),
        ] as [(String, [String])]
    )
    func `a user's words are words, never operators`(words: String, expected: [String]) async throws {
        try await self.withMessages { store in
            let found = try await self.found(words, in: store)
            #expect(Set(found) == Set(expected))
        }
    }

    @Test
    func `the best match is first and the limit holds`() async throws {
        try await self.withMessages { store in
            try await store.conversations { conversations in
                for (id, content) in [
                    ("p1", "penguin " + String(repeating: "filler ", count: 50)), ("p2", "penguin penguin penguin"),
                ] {
                    let message = Message(
                        id: MessageID(rawValue: id),
                        role: .user,
                        content: content,
                        timestamp: store.clock.now
                    )
                    try conversations.append(message, to: "c", of: .default)
                }
            }
            #expect(try await self.found("penguin", limit: 1, in: store) == ["penguin penguin penguin"])
            #expect(try await self.found("penguin", in: store).count == 2)
            #expect(try await self.found("penguin", limit: 0, in: store) == [])
        }
    }

    @Test
    func `a find names its conversation and is the whole message`() async throws {
        try await self.withMessages { store in
            let found = try await store.conversations { conversations in
                try conversations.search("lazy", of: .default, limit: 9).map { ($0.conversation, $0.message) }
            }
            let all = try await store.conversations { try $0.messages(of: "c", of: .default, last: 99) }
            #expect(found.map(\.0) == ["c"])
            #expect(found.map(\.1) == all.filter { $0.content == "A lazy dog" })
        }
    }

    @Test
    func `a message that is not appended again is found once, and a deleted one is not found`() async throws {
        try await self.withMessages { store in
            try await store.conversations { conversations in
                let again = Message(id: "m1", role: .user, content: "changed text", timestamp: store.clock.now)
                try conversations.append(again, to: "c", of: .default)
            }
            #expect(try await self.found("changed", in: store) == [])
            #expect(try await self.found("lazy", in: store).count == 1)
            try await store.execute("DELETE FROM conversations WHERE id = 'c'")
            #expect(try await self.found("lazy", in: store) == [])
            #expect(
                try await store.texts("SELECT COUNT(*) FROM messages_text WHERE messages_text MATCH 'lazy'") == ["0"]
            )
        }
    }

    @Test
    func `the search survives the file's being vacuumed`() async throws {
        try await self.withMessages { store in
            try await store.execute("DELETE FROM messages WHERE id IN ('m0', 'm2')")
            try await onThread { try RawSQLite(file: store.file).execute("VACUUM") }
            #expect(try await self.found("lazy", in: store) == ["A lazy dog"])
            #expect(try await self.found("wildcard", in: store) == ["a* wildcard"])
            let copy = store.file.deletingLastPathComponent().appendingPathComponent("copy.db")
            try await onThread { try RawSQLite(file: store.file).execute("VACUUM INTO '\(copy.path)'") }
            let backup = try TestStore(file: copy)
            #expect(try await self.found("lazy", in: backup) == ["A lazy dog"])
            try backup.database.close()
        }
    }
}
