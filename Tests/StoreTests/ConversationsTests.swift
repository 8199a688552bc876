import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct ConversationsTests {
    private func ensure(
        _ id: ConversationID,
        of tenant: TenantID = .default,
        title: String = "T",
        agent: AgentID = .default,
        in store: TestStore
    ) async throws {
        try await store.conversations { try $0.ensure(id, of: tenant, title: title, agent: agent) }
    }

    private func list(
        _ query: ConversationQuery,
        of tenant: TenantID = .default,
        in store: TestStore
    ) async throws -> (ids: [ConversationID], total: Int) {
        let page = try await store.conversations { try $0.list(query, of: tenant) }
        return (page.items.map(\.id), page.total)
    }

    @Test
    func `a conversation is made once, and the second time nothing changes`() async throws {
        try await withTestStore { store in
            try await self.ensure("c", title: "First", agent: "a", in: store)
            let made = store.clock.now
            store.clock.advance(by: .seconds(1))
            try await self.ensure("c", title: "Second", agent: "b", in: store)
            let conversation = try await store.conversations { try $0.conversation("c", of: .default) }
            #expect(
                conversation
                    == Conversation(
                        id: "c",
                        title: "First",
                        agentID: "a",
                        createdAt: made,
                        lastActive: made,
                        messageCount: 0,
                        tokenCount: 0
                    )
            )
        }
    }

    @Test
    func `tenants with the same conversation id do not see each other`() async throws {
        try await withTestStore { store in
            try await self.ensure("c", of: "t1", title: "One", in: store)
            try await self.ensure("c", of: "t2", title: "Two", in: store)
            try await self.ensure("d", of: "t2", in: store)
            try await store.conversations { conversations in
                let message = Message(id: "m1", role: .user, content: "secret", timestamp: store.clock.now)
                try conversations.append(message, to: "c", of: "t1")
                #expect(try conversations.conversation("c", of: "t1")?.title == "One")
                #expect(try conversations.conversation("c", of: "t2")?.title == "Two")
                #expect(try conversations.conversation("c", of: "t2")?.messageCount == 0)
                #expect(try conversations.conversation("d", of: "t1") == nil)
                #expect(try conversations.messages(of: "c", of: "t2", last: 9) == [])
                #expect(try conversations.search("secret", of: "t2", limit: 9).isEmpty)
                #expect(try conversations.search("secret", of: "t1", limit: 9).count == 1)
            }
            #expect(try await self.list(ConversationQuery(limit: 9), of: "t1", in: store) == (["c"], 1))
            let others = try await self.list(ConversationQuery(limit: 9), of: "t2", in: store)
            #expect(Set(others.ids) == ["c", "d"])
        }
    }

    @Test(arguments: 1...7)
    func `pages by cursor give every conversation once, newest first, also among equal times`(
        limit: Int
    ) async throws {
        try await withTestStore { store in
            var expected: [ConversationID] = []
            for time in 0..<4 {
                for name in ["a", "b", "c"] {
                    let id = ConversationID(rawValue: "\(name)\(time)")
                    try await self.ensure(id, in: store)
                    expected.append(id)
                }
                store.clock.advance(by: .milliseconds(1))
            }
            var seen: [ConversationID] = []
            var query = ConversationQuery(limit: limit)
            while seen.count <= 12 {
                let page = try await store.conversations { [query] in try $0.list(query, of: .default) }
                #expect(page.total == 12)
                #expect(page.items.count <= limit)
                guard let last = page.items.last else { break }
                seen += page.items.map(\.id)
                query.before = (last.lastActive, last.id)
            }
            #expect(seen == expected.reversed())
        }
    }

    @Test
    func `a conversation that becomes active moves to the front`() async throws {
        try await withTestStore { store in
            for id in ["a", "b"] as [ConversationID] {
                try await self.ensure(id, in: store)
                store.clock.advance(by: .seconds(1))
            }
            let now = store.clock.now
            try await store.conversations {
                try $0.append(Message(role: .user, content: "x", timestamp: now), to: "a", of: .default)
            }
            #expect(try await self.list(ConversationQuery(limit: 9), in: store).ids == ["a", "b"])
        }
    }

    @Test(
        arguments: [
            ("report", ["Weekly report", "REPORT 2"]), ("REPORT", ["Weekly report", "REPORT 2"]),
            ("100%", ["100% sure"]),
            ("%", ["100% sure"]), ("_", ["snake_case"]), ("e_c", ["snake_case"]), (#"\"#, [#"back\slash"#]),
            ("Ärger", ["Ärger"]), ("ärger", []), ("日本", ["日本語"]), ("'", ["it's"]), ("", Self.titles), ("nothing", []),
            ("\"; DROP TABLE jobs; --", []),
        ] as [(String, [String])]
    )
    func `titles are searched for the text as it is`(text: String, expected: [String]) async throws {
        try await withTestStore { store in
            for (number, title) in Self.titles.enumerated() {
                try await self.ensure(ConversationID(rawValue: "c\(number)"), title: title, in: store)
            }
            let page = try await store.conversations {
                try $0.list(ConversationQuery(limit: 99, titleContains: text), of: .default)
            }
            #expect(Set(page.items.map(\.title)) == Set(expected))
            #expect(page.total == expected.count)
        }
    }

    private static let titles = [
        "Weekly report", "REPORT 2", "100% sure", "snake_case", #"back\slash"#, "Ärger", "日本語", "it's",
    ]

    @Test
    func `filters and cursor work together, and the total is of the filter`() async throws {
        try await withTestStore { store in
            for number in 0..<6 {
                try await self.ensure(
                    ConversationID(rawValue: "c\(number)"),
                    title: number < 4 ? "Match" : "Other",
                    agent: number % 2 == 0 ? "even" : "odd",
                    in: store
                )
                store.clock.advance(by: .milliseconds(1))
            }
            var query = ConversationQuery(limit: 1, agentID: "even", titleContains: "match")
            #expect(try await self.list(query, in: store) == (["c2"], 2))
            let first = try await store.conversations { try $0.conversation("c2", of: .default) }
            query.before = (try #require(first).lastActive, "c2")
            #expect(try await self.list(query, in: store) == (["c0"], 2))
        }
    }
}
