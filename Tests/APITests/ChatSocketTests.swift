import Domain
import Testing
import TestSupport
import WebSocket

@Suite(.serialized, .timeLimit(.minutes(3)))
struct ChatSocketTests {
    @Test func `a message is a start, progress, its tokens and the whole answer`() async throws {
        try await withServer { server in
            try await server.withSocket { socket in
                try await socket.send(["text": "hi [[tokens=5 delay=10ms reasoning=2]]", "conversation_id": "c"])
                let frames = try await socket.answer()
                #expect(frames[0].event == "start")
                #expect(frames[0].id == "0-1")
                #expect(frames[0].data["conversation_id"] == "c")
                #expect(frames[0].data["agent_id"] == "default")
                #expect(frames[0].data["message_id"]?.string?.hasPrefix("msg_") == true)
                #expect(frames[1].event == "progress")
                #expect(frames[1].data["iteration"] == .integer(1))
                #expect(frames[1].data["max_iterations"] == .integer(5))
                #expect(Set(frames.dropFirst(2).dropLast().map(\.event)) == ["token"])
                let last = try #require(frames.last)
                #expect(last.event == "complete")
                #expect(frames.text() == "tok0 tok1 tok2 tok3 tok4 ")
                #expect(last.data["response"]?.string == frames.text())
                #expect(last.data["reasoning"] == nil)
                #expect(last.data["message_id"] == frames[0].data["message_id"])
                #expect(Set(frames.map(\.jobID)).count == 1)
            }
        }
    }

    @Test func `reasoning comes only to those who ask, and the job's life only with verbose`() async throws {
        try await withServer { server in
            try await server.withSocket { socket in
                try await socket.send([
                    "text": "hi [[tokens=2 reasoning=3]]", "include_reasoning": .bool(true), "verbose": .bool(true),
                ])
                let frames = try await socket.answer()
                #expect(frames.text("reasoning") == "think0 think1 think2 ")
                #expect(frames.last?.data["reasoning"]?.string == frames.text("reasoning"))
                #expect(frames.contains { $0.event == "attempt" && $0.data["reason"] == "claimed" })
            }
        }
    }

    @Test func `many messages share a socket, each with its job's id`() async throws {
        try await withServer { server in
            try await server.withSocket { socket in
                for index in 0..<6 {
                    try await socket.send(["text": .string("m\(index) [[tokens=\(index + 1) delay=3ms]]")])
                }
                var open = 6
                let frames = try await socket.frames { frame in
                    if frame.isTerminal { open -= 1 }
                    return open == 0
                }
                let jobs = frames.filter { $0.event == "start" }.compactMap(\.jobID)
                #expect(jobs.count == 6)
                for (index, job) in jobs.enumerated() {
                    let own = frames.filter { $0.jobID == job }
                    #expect(own.first?.event == "start")
                    #expect(own.last?.event == "complete")
                    #expect(own.text() == (0...index).map { "tok\($0) " }.joined())
                }
            }
        }
    }

    @Test func `messages of one conversation are answered in the order of their frames`() async throws {
        try await withServer { server in
            try await server.withSocket { socket in
                for index in 0..<5 {
                    try await socket.send([
                        "text": .string("m\(index) [[say=a\(index)]]"), "conversation_id": "c",
                    ])
                }
                var open = 5
                let frames = try await socket.frames { frame in
                    if frame.isTerminal { open -= 1 }
                    return open == 0
                }
                #expect(frames.filter(\.isTerminal).map { $0.data["response"] } == (0..<5).map { .string("a\($0)") })
            }
        }
    }

    @Test func `a resume from any event has the same bytes`() async throws {
        try await withServer { server in
            let whole = try await server.withSocket { socket in
                try await socket.send(["text": "hi [[tokens=6 delay=20ms]]", "verbose": .bool(true)])
                return try await socket.answer()
            }
            let job = try #require(whole.first?.jobID)
            try await server.withSocket { socket in
                for cursor in [nil, "0-0"] + whole.dropLast().map(\.id) {
                    var resume: [String: JSONValue] = ["job_id": .string(job)]
                    if let cursor { resume["after"] = .string(cursor) }
                    try await socket.send(["resume": .object(resume), "verbose": .bool(true)])
                    let rest = try await socket.answer().map(\.text)
                    #expect(rest == whole.suffix(rest.count).map(\.text))
                    let position = whole.firstIndex { $0.id == cursor }.map { $0 + 1 } ?? 0
                    #expect(rest.count == whole.count - position)
                }
            }
        }
    }

    @Test func `a socket that is dropped in the middle goes on where it was`() async throws {
        try await withServer { server in
            let first = try await server.withSocket { socket in
                try await socket.send(["text": "hi [[tokens=10 delay=40ms]]"])
                return try await socket.frames { $0.event == "token" }
            }
            let job = try #require(first.first?.jobID)
            let rest = try await server.withSocket { socket in
                let resume: JSONValue = .object(["job_id": .string(job), "after": .string(first.last?.id ?? "")])
                try await socket.send(["resume": resume])
                return try await socket.answer()
            }
            let whole = first + rest
            #expect(whole.text() == (0..<10).map { "tok\($0) " }.joined())
            #expect(rest.last?.data["response"]?.string == whole.text())
            #expect(Set(whole.map(\.id)).count == whole.count)
        }
    }

    @Test func `a resume of an ended job whose log has expired is its text and its end`() async throws {
        try await withServer(["PENGUIN_LOG_TTL_SECONDS": "0.1"]) { server in
            let id = try await server.submit("hi [[tokens=3]]")
            try await server.job(id, is: "completed")
            try await eventually(within: .seconds(30), "the log has expired") {
                try await server.redisKeys("penguin:log:*").isEmpty
            }
            try await server.withSocket { socket in
                try await socket.send(["resume": .object(["job_id": .string(id)])])
                let frames = try await socket.answer()
                #expect(frames.map(\.event) == ["snapshot", "complete"])
                #expect(frames[0].data["text"] == "tok0 tok1 tok2 ")
            }
        }
    }

    @Test func `a cancel in the middle of an answer ends it as cancelled`() async throws {
        try await withServer { server in
            try await server.withSocket { socket in
                try await socket.send(["text": "hi [[tokens=2 hang=2]]"])
                let begun = try await socket.frames { $0.event == "token" }
                let job = try #require(begun.first?.jobID)
                try await socket.send(["cancel": .object(["job_id": .string(job)])])
                let last = try #require(try await socket.answer().last)
                #expect(last.event == "cancelled")
                #expect(last.jobID == job)
                // Whoever does not follow the job is told its end too.
                try await server.withSocket { other in
                    try await other.send(["cancel": .object(["job_id": .string(job)])])
                    let end = try await other.next()
                    #expect(end.event == "cancelled")
                }
                try await socket.send(["ping": .integer(1)])
                #expect(try await socket.next().event == "pong")
            }
        }
    }

    @Test func `a ping comes back as it was`() async throws {
        try await withServer { server in
            try await server.withSocket { socket in
                let nested = JSONValue.object(["a": .array([.bool(true), .null])])
                for value in [JSONValue.integer(7), "x", nested, .bool(false), .null] {
                    try await socket.send(["ping": value])
                    let pong = try await socket.next()
                    #expect(pong.event == "pong")
                    #expect(pong.data == value)
                }
            }
        }
    }

    @Test func `a bad frame is an error, and the socket goes on`() async throws {
        try await withServer { server in
            try await server.withSocket { socket in
                let cases = [
                    ("nonsense", "malformed_json"), ("", "malformed_json"), ("[1]", "malformed_json"),
                    ("{}", "validation_failed"), (#"{"text":""}"#, "validation_failed"),
                    (#"{"text":1}"#, "validation_failed"), (#"{"text":"x","verbose":"y"}"#, "validation_failed"),
                    (#"{"text":"x","max_iterations":0}"#, "validation_failed"),
                    (#"{"text":"x","agent_id":"nobody"}"#, "not_found"), (#"{"cancel":{}}"#, "validation_failed"),
                    (#"{"cancel":"x"}"#, "validation_failed"), (#"{"cancel":{"job_id":"job_none"}}"#, "not_found"),
                    (#"{"resume":{"job_id":"job_none"}}"#, "not_found"),
                    (#"{"resume":{"job_id":"job_none","after":"x"}}"#, "validation_failed"),
                    (#"{"resume":[]}"#, "validation_failed"),
                ]
                for (frame, code) in cases {
                    try await socket.send(frame)
                    let answer = try await socket.next()
                    #expect(answer.event == "error", "\(frame)")
                    #expect(answer.data["code"]?.string == code, "\(frame)")
                    #expect(answer.data["message"]?.string?.isEmpty == false, "\(frame)")
                    #expect(answer.data["retryable"] == .bool(false), "\(frame)")
                    #expect(answer.id == nil)
                }
                try await socket.send(["text": "hi [[say=still here]]"])
                #expect(try await socket.answer().last?.data["response"] == "still here")
            }
        }
    }

    @Test func `a provider's failure is an error with its code`() async throws {
        try await withServer { server in
            try await server.withSocket { socket in
                try await socket.send(["text": "hi [[error=401]]"])
                let last = try #require(try await socket.answer().last)
                #expect(last.event == "error")
                #expect(last.data["code"] == "provider_authentication")
                #expect(last.jobID?.hasPrefix("job_") == true)
            }
        }
    }

    @Test func `a binary frame is read as text`() async throws {
        try await withServer { server in
            try await server.withSocket { socket in
                try await socket.send(binary: #"{"text":"hi [[say=yes]]"}"#)
                #expect(try await socket.answer().last?.data["response"] == "yes")
                try await socket.send(binary: "\u{1}")
                #expect(try await socket.next().data["code"] == "malformed_json")
            }
        }
    }

    @Test func `an unknown path is not upgraded, nor a page of another origin, nor another host`() async throws {
        try await withServer { server in
            let cases: [(String, [(String, String)], Int)] = [
                ("/api/v1/chat/other", [], 404), ("/api/v1/chat/stream", [("Origin", "https://evil.com")], 403),
                ("/api/v1/chat/stream", [("Host", "evil.com")], 403),
            ]
            for (path, headers, status) in cases {
                let error = await #expect(throws: WebSocketError.self) {
                    try await server.withSocket(path: path, headers: headers) { _ in }
                }
                #expect(error?.code == .refused(status: status), "\(path)")
            }
            try await server.withSocket(path: "/api/v1/chat/stream?x=1", headers: [("Origin", "http://localhost:3000")])
            {
                try await $0.send(["ping": .null])
            }
        }
    }
}
