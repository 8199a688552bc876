import Domain
import Foundation
import TestSupport
import Testing

/// Many chats at once, each with its own text, and many messages in one conversation, in order.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ManyChatsTests {
    private static let chats = 50

    /// Words that no other chat says.
    private static func words(_ chat: Int) -> String {
        (0..<60).map { "c\(chat)w\($0)" }.joined(separator: " ")
    }

    private static func prompt(_ chat: Int) -> String { "[[say=\(Self.words(chat))]] [[delay=5ms]]" }

    @Test func `fifty chats at once on fifty sockets hear only their own words`() async throws {
        try await withFleet { fleet in
            let web = try await fleet.startWeb()
            try await withThrowingTaskGroup { group in
                for chat in 0..<Self.chats {
                    group.addTask { (chat, try await web.answer(to: Self.prompt(chat), in: "chat\(chat)")) }
                }
                for try await (chat, transcript) in group {
                    transcript.expect(Self.words(chat))
                }
            }
        }
    }

    @Test func `fifty chats at once on one socket keep their words apart`() async throws {
        try await withFleet { fleet in
            let web = try await fleet.startWeb()
            try await web.chat { probe in
                for chat in 0..<Self.chats { try await probe.submit(Self.prompt(chat), in: "chat\(chat)") }
                for chat in 0..<Self.chats {
                    let job = try await probe.nextStarted()
                    try await probe.end(of: job).expect(Self.words(chat))
                }
            }
        }
    }

    @Test(arguments: [2, 5])
    func `messages sent at once on one socket are answered in order`(_ count: Int) async throws {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await Self.startWithTwoWorkers(fleet)
            let prompts = (0..<count).map { "message \($0) [[echo]] [[delay=20ms]]" }
            try await web.chat { chat in
                for prompt in prompts { try await chat.submit(prompt, in: "line") }
                for prompt in prompts {
                    let job = try await chat.nextStarted()
                    try await chat.end(of: job).expect(prompt)
                }
            }
            #expect(try await web.history(of: "line") == prompts.flatMap { [.user($0), .assistant($0)] })
        }
    }

    @Test(arguments: [2, 5])
    func `messages posted one after the other are answered in order`(_ count: Int) async throws {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await Self.startWithTwoWorkers(fleet)
            let prompts = (0..<count).map { "message \($0) [[echo]] [[delay=20ms]]" }
            for prompt in prompts {
                let reply = try await web.http().post(
                    "/api/v1/chat/message",
                    json: #"{"text":"\#(prompt)","conversation_id":"line"}"#,
                    headers: ["prefer": "respond-async"]
                )
                #expect(reply.status == 202)
            }
            let expected: [WebServer.Entry] = prompts.flatMap { [.user($0), .assistant($0)] }
            try await eventually(within: .seconds(20), "all are answered") {
                try await web.history(of: "line").count >= expected.count
            }
            #expect(try await web.history(of: "line") == expected)
        }
    }

    @Test func `messages posted at the same moment are answered one after the other`() async throws {
        try await withFleet(hasRedis: true) { fleet in
            let web = try await Self.startWithTwoWorkers(fleet)
            let prompts = (0..<5).map { "message \($0) [[echo]] [[delay=20ms]]" }
            try await withThrowingTaskGroup { group in
                for prompt in prompts {
                    group.addTask {
                        let reply = try await web.http().post(
                            "/api/v1/chat/message",
                            json: #"{"text":"\#(prompt)","conversation_id":"line"}"#
                        )
                        #expect(reply.status == 200)
                        #expect(reply.json?["response"]?.string == prompt)
                    }
                }
                try await group.waitForAll()
            }
            let history = try await web.history(of: "line")
            let users = history.filter { $0.role == "user" }.map(\.text)
            #expect(users.sorted() == prompts)
            #expect(history == users.flatMap { [.user($0), .assistant($0)] })
        }
    }

    private static func startWithTwoWorkers(_ fleet: Fleet) async throws -> WebServer {
        let web = try await fleet.startWeb("--workers", "0")
        _ = try await fleet.startWorker(seenBy: web)
        _ = try await fleet.startWorker(seenBy: web)
        return web
    }
}
