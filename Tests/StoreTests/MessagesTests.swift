import Domain
import Store
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1)))
struct MessagesTests {
    /// A store with the conversation "c".
    private func withConversation(_ body: (TestStore) async throws -> Void) async throws {
        try await withTestStore { store in
            try await store.conversations { try $0.ensure("c", of: .default, title: "T", agent: .default) }
            try await body(store)
        }
    }

    private func append(_ messages: [Message], to store: TestStore) async throws {
        try await store.conversations { conversations in
            for message in messages { try conversations.append(message, to: "c", of: .default) }
        }
    }

    private func messages(
        _ filter: MessageFilter = MessageFilter(),
        last limit: Int = 100,
        of store: TestStore
    ) async throws -> [Message] {
        try await store.conversations { try $0.messages(of: "c", of: .default, filter: filter, last: limit) }
    }

    private static func message(_ id: MessageID, _ content: String = "x", at milliseconds: Int64 = 0) -> Message {
        Message(id: id, role: .user, content: content, timestamp: Timestamp(milliseconds: milliseconds), tokens: 1)
    }

    @Test
    func `a message comes back as it was appended`() async throws {
        try await self.withConversation { store in
            let full = Message(
                id: "m1",
                role: .tool,
                content: "a \"b\" 日本 🐧\n",
                category: .systemOutput,
                timestamp: Timestamp(milliseconds: 1_700_000_000_001),
                agentID: "a",
                recipientID: "r",
                messageType: .action,
                channel: "ops",
                reasoning: "why",
                toolCalls: [ToolCall(id: "1", name: "n", arguments: "{ bad")],
                toolCallID: "0",
                tokens: 7,
                metadata: ["k": .array([.integer(1), .null])]
            )
            let plain = Self.message("m2")
            try await self.append([full, plain], to: store)
            #expect(try await self.messages(of: store) == [full, plain])
        }
    }

    @Test(arguments: Message.Role.allCases, Message.Category.allCases)
    func `every role and category is kept`(role: Message.Role, category: Message.Category) async throws {
        try await self.withConversation { store in
            let message = Message(
                id: "m",
                role: role,
                content: "x",
                category: category,
                timestamp: Timestamp(milliseconds: 1),
                tokens: 1
            )
            try await self.append([message], to: store)
            #expect(try await self.messages(of: store) == [message])
        }
    }

    @Test
    func `messages are in the order of their appending, whatever their times and ids`() async throws {
        try await self.withConversation { store in
            try await self.append(
                [Self.message("z", at: 5), Self.message("a", at: 9), Self.message("m", at: 1)],
                to: store
            )
            #expect(try await self.messages(of: store).map(\.id) == ["z", "a", "m"])
            #expect(try await self.messages(last: 2, of: store).map(\.id) == ["a", "m"])
            #expect(try await self.messages(last: 0, of: store) == [])
        }
    }

    @Test
    func `a message whose id is there already is left alone and not counted`() async throws {
        try await self.withConversation { store in
            try await self.append([Self.message("m1", "first"), Self.message("m2", "second")], to: store)
            try await self.append([Self.message("m1", "changed")], to: store)
            #expect(try await self.messages(of: store).map(\.content) == ["first", "second"])
            let conversation = try await store.conversations { try $0.conversation("c", of: .default) }
            #expect(conversation?.messageCount == 2 && conversation?.tokenCount == 2)
        }
    }

    @Test
    func `the conversation counts messages and tokens and knows the last time`() async throws {
        try await self.withConversation { store in
            let estimated = Message(id: "m1", role: .user, content: "12345", timestamp: Timestamp(milliseconds: 10))
            var known = Self.message("m2", at: 20)
            known.tokens = 30
            try await self.append([estimated, known], to: store)
            let conversation = try await store.conversations { try $0.conversation("c", of: .default) }
            #expect(conversation?.messageCount == 2)
            #expect(conversation?.tokenCount == 32)
            #expect(conversation?.lastActive == Timestamp(milliseconds: 20))
            #expect(try await self.messages(of: store).map(\.tokens) == [2, 30])
        }
    }

    @Test(arguments: [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("日本", 2)])
    func `tokens are estimated at four bytes each`(text: String, tokens: Int) {
        #expect(Conversations.estimatedTokens(of: text) == tokens)
    }

    @Test
    func `filters apply before the limit`() async throws {
        try await self.withConversation { store in
            var messages: [Message] = []
            for number in 0..<12 {
                var message = Self.message(MessageID(rawValue: "m\(number)"))
                message.role = number % 3 == 0 ? .system : .user
                message.agentID = number % 2 == 0 ? "even" : "odd"
                message.channel = number < 6 ? "old" : nil
                message.messageType = number % 4 == 0 ? .status : .message
                messages.append(message)
            }
            try await self.append(messages, to: store)
            let expected: [(MessageFilter, [MessageID])] = [
                (MessageFilter(), ["m10", "m11"]),
                (MessageFilter(includeSystem: false), ["m10", "m11"]),
                (MessageFilter(agentID: "even"), ["m8", "m10"]),
                (MessageFilter(includeSystem: false, agentID: "odd"), ["m7", "m11"]),
                (MessageFilter(channel: "old"), ["m4", "m5"]),
                (MessageFilter(messageType: .status), ["m4", "m8"]),
                (MessageFilter(includeSystem: false, agentID: "even", channel: "old", messageType: .message), ["m2"]),
                (MessageFilter(channel: "none"), []),
            ]
            for (filter, ids) in expected {
                #expect(try await self.messages(filter, last: 2, of: store).map(\.id) == ids, "\(filter)")
            }
        }
    }

    @Test
    func `a message for a conversation that is not there is refused`() async throws {
        try await withTestStore { store in
            await #expect(throws: StoreError.self) { try await self.append([Self.message("m1")], to: store) }
            let count = try await store.texts("SELECT COUNT(*) FROM messages")
            #expect(count == ["0"])
        }
    }

    @Test
    func `a text goes on after a NUL`() async throws {
        try await self.withConversation { store in
            try await self.append([Self.message("m1", "before\u{0}after")], to: store)
            #expect(try await self.messages(of: store).map(\.content) == ["before\u{FFFD}after"])
        }
    }
}
