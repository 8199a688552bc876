import Domain
import Testing
import TestSupport

@Suite(.serialized, .timeLimit(.minutes(3)))
struct ConversationTests {
    private static let path = "/api/v1/conversations"

    private static func list(_ value: JSONValue?) -> [JSONValue] {
        if case .array(let elements) = value { elements } else { [] }
    }

    @Test func `a conversation is made with or without a body, by either name of its title`() async throws {
        try await withServer { server in
            let bare = try await server.http.send("POST", Self.path + "/create")
            #expect(bare.status == 200)
            #expect(try bare.json["conversation_id"]?.string?.hasPrefix("conv_") == true)
            for field in ["title", "name"] {
                let made = try await server.http.post(Self.path + "/create", [field: "Fish"]).json
                #expect(made["title"] == "Fish")
                let id = try #require(made["conversation_id"]?.string)
                let whole = try await server.http.get("\(Self.path)/\(id)").json
                #expect(whole["id"]?.string == id)
                #expect(whole["title"] == "Fish")
                #expect(whole["messages"] == .array([]))
            }
            #expect(try await server.http.post(Self.path + "/create", ["title": .integer(1)]).status == 422)
            #expect(try await server.http.post(Self.path + "/create", ["agent_id": "nobody"]).status == 404)
            #expect(try await server.http.get(Self.path).json["total"] == .integer(3))
        }
    }

    @Test func `a first message makes its conversation, titled by it`() async throws {
        try await withServer { server in
            _ = try await server.chat("What do penguins eat?\nAnd why? [[say=fish]]", ["conversation_id": "c"])
            let entry = try #require(Self.list(try await server.http.get(Self.path).json["conversations"]).first)
            #expect(entry["id"] == "c")
            #expect(entry["title"] == "What do penguins eat?")
            #expect(entry["message_count"] == .integer(2))
            let whole = try await server.http.get(Self.path + "/c").json
            let messages = Self.list(whole["messages"])
            #expect(messages.map { $0["role"] } == ["user", "assistant"])
            #expect(messages[1]["content"] == "fish")
            for message in messages {
                #expect(Timestamp(rfc3339: message["timestamp"]?.string ?? "") != nil)
                #expect(message["timestamp"]?.string?.hasSuffix("Z") == true)
                #expect(message["message_type"] == "message")
                #expect(message["category"] == "DIALOG")
            }
        }
    }

    @Test func `a list is read page by page, newest first, to its end`() async throws {
        try await withServer { server in
            for index in 0..<6 {
                _ = try await server.http.post(Self.path + "/create", ["title": .string("number \(index)")])
            }
            var titles: [String] = []
            var cursor: String?
            var pages = 0
            repeat {
                let query = cursor.map { "&cursor=\($0)" } ?? ""
                let page = try await server.http.get("\(Self.path)?limit=2\(query)").json
                #expect(page["total"] == .integer(6))
                let items = Self.list(page["conversations"])
                #expect(!items.isEmpty)
                titles += items.compactMap { $0["title"]?.string }
                cursor = page["next_cursor"]?.string
                pages += 1
            } while cursor != nil && pages < 10
            #expect(titles == (0..<6).reversed().map { "number \($0)" })
            #expect(pages == 3)
        }
    }

    @Test func `a list is filtered by title and agent`() async throws {
        try await withServer { server in
            for title in ["Red fish", "Blue fish", "100%_done"] {
                _ = try await server.http.post(Self.path + "/create", ["title": .string(title)])
            }
            for (query, count) in [
                ("search=FISH", 2), ("search=%25_d", 1), ("search=%25x", 0), ("agent_id=default", 3),
                ("agent_id=other", 0),
            ] {
                let page = try await server.http.get("\(Self.path)?\(query)").json
                #expect(page["total"] == .integer(Int64(count)), "\(query)")
                #expect(Self.list(page["conversations"]).count == count, "\(query)")
            }
        }
    }

    @Test(arguments: [
        "limit=0", "limit=1001", "limit=-1", "limit=two", "limit=1.5",
    ])
    func `a bad parameter is a 400 that names it`(_ query: String) async throws {
        try await withServer { server in
            let answer = try await server.http.get("\(Self.path)?\(query)")
            #expect(answer.status == 400)
            #expect(answer.code == "bad_parameter")
            #expect(answer.body.contains("limit"))
        }
    }

    @Test func `parameters of the other lists are checked too`() async throws {
        try await withServer { server in
            _ = try await server.http.post("/api/v1/chat/message", ["text": "x [[say=y]]", "conversation_id": "c"])
            for path in [
                "/c/history?limit=0", "/c/history?include_system=maybe", "/c/history?message_type=odd",
                "/search", "/search?q=%20", "/search?q=x&limit=0",
            ] {
                #expect(try await server.http.get(Self.path + path).status == 400, "\(path)")
            }
            let cursor = try await server.http.get(Self.path + "?cursor=nonsense")
            #expect([400, 422].contains(cursor.status))
        }
    }

    @Test func `a history is the last messages that pass the filters`() async throws {
        try await withServer { server in
            for index in 0..<3 {
                _ = try await server.chat(
                    "q\(index) [[say=a\(index)]]",
                    ["conversation_id": "c", "context": .object(index == 0 ? ["k": "v"] : [:])]
                )
            }
            let cases = [
                ("", ["system", "user", "assistant", "user", "assistant", "user", "assistant"]),
                ("?include_system=false", ["user", "assistant", "user", "assistant", "user", "assistant"]),
                ("?limit=2", ["user", "assistant"]), ("?limit=1", ["assistant"]),
                ("?message_type=message&limit=2", ["user", "assistant"]), ("?message_type=action", []),
                ("?agent_id=other", []), ("?channel=none", []),
            ]
            for (query, roles) in cases {
                let history = try await server.http.get("\(Self.path)/c/history\(query)").json
                #expect(history["conversation_id"] == "c")
                #expect(Self.list(history["messages"]).compactMap { $0["role"]?.string } == roles, "\(query)")
            }
        }
    }

    @Test func `a search finds messages by all their words, whatever characters are asked for`() async throws {
        try await withServer { server in
            _ = try await server.chat("penguins eat fish [[say=indeed]]", ["conversation_id": "a"])
            _ = try await server.chat("penguins swim [[say=yes]]", ["conversation_id": "b"])
            let found = Self.list(try await server.http.get(Self.path + "/search?q=fish%20penguins").json["results"])
            #expect(found.count == 1)
            #expect(found.first?["conversation_id"] == "a")
            #expect(found.first?["message"]?["role"] == "user")
            #expect(
                Self.list(try await server.http.get(Self.path + "/search?q=penguins&limit=1").json["results"]).count
                    == 1
            )
            for query in ["%22", "%2A", "a%20OR", "NEAR(", "x%20AND%20y", "-", "%27", "(", "%00", "col:x"] {
                #expect(try await server.http.get("\(Self.path)/search?q=\(query)").status == 200, "\(query)")
            }
        }
    }

    @Test func `a read never makes a conversation`() async throws {
        try await withServer { server in
            for path in ["/none", "/none/history"] {
                let answer = try await server.http.get(Self.path + path)
                #expect(answer.status == 404)
                #expect(answer.code == "not_found")
            }
            #expect(try await server.http.get(Self.path).json["total"] == .integer(0))
        }
    }
}
