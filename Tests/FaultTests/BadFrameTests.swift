import Domain
import NIOCore
import TestSupport
import Testing
import WebSocket

/// Frames no well-behaved client sends.
@Suite(.serialized, .timeLimit(.minutes(2)), .sharedServer())
struct BadFrameTests {
    static let frames = [
        "", " ", "no json", "{", #"{"text":"a"} trailing"#, "[]", #"["text"]"#, "null", "42", #""text""#, "true",
        "{}", #"{"text":null}"#, #"{"text":""}"#, #"{"text":"   \n"}"#, #"{"text":5}"#, #"{"text":["a"]}"#,
        #"{"text":{"a":1}}"#, #"{"text":"a","conversation_id":5}"#, #"{"text":"a","conversation_id":"a b"}"#,
        #"{"text":"a","conversation_id":""}"#, #"{"text":"a","agent_id":"nobody"}"#, #"{"text":"a","agent_id":"A B"}"#,
        #"{"text":"a","max_iterations":0}"#, #"{"text":"a","max_iterations":1e99}"#,
        #"{"text":"a","max_iterations":99999999999999999999}"#, #"{"text":"a","max_iterations":"5"}"#,
        #"{"text":"a","context":[]}"#, #"{"text":"a","streaming":"yes"}"#, #"{"text":"a","model":"no/such model"}"#,
        #"{"cancel":5}"#, #"{"cancel":{}}"#, #"{"cancel":{"job_id":5}}"#, #"{"cancel":{"job_id":"job_unknown"}}"#,
        #"{"resume":[]}"#, #"{"resume":{}}"#, #"{"resume":{"job_id":"job_unknown"}}"#,
        #"{"resume":{"job_id":"job_unknown","after":"x"}}"#, #"{"resume":{"job_id":"job_unknown","after":-1}}"#,
        #"{"resume":{"job_id":"../../etc/passwd","after":"0-0"}}"#, #"{"resume":{"job_id":"a b\r\nFLUSHALL"}}"#,
        String(repeating: "[", count: 100_000), #"{"a":"# + String(repeating: "{\"a\":", count: 50_000),
        #"{"text":"\ud800"}"#, "\u{FEFF}{}",
    ]

    @Test func `every bad frame is answered with an error and the socket stays open`() async throws {
        let server = try SharedServer.current
        try await server.web.chat { chat in
            for frame in Self.frames {
                let before = chat.frames.count
                try await chat.send(frame)
                let answer = try await chat.frame(after: before, "an answer to \(frame.prefix(80))") { _ in true }
                #expect(answer.event == "error", "\(frame.prefix(80)) was answered with \(answer)")
                let code = answer.data["code"]?.string
                #expect(code != nil && code != "internal", "\(frame.prefix(80)) was answered with \(answer)")
                #expect(answer.data["message"]?.string?.isEmpty == false)
            }
            let job = try await chat.say("[[tokens=3]]")
            try await chat.end(of: job).expect(tokens(3))
        }
    }

    @Test func `a binary frame is read as JSON or refused like a text`() async throws {
        let server = try SharedServer.current
        try await server.web.chat { chat in
            try await chat.socket.send(binary: ByteBuffer(bytes: [0xff, 0xfe, 0x00]))
            _ = try await chat.frame("an error") { $0.event == "error" }
            try await chat.socket.send(binary: ByteBuffer(string: #"{"text":"[[tokens=3]]"}"#))
            let job = try await chat.nextStarted()
            try await chat.end(of: job).expect(tokens(3))
        }
    }

    @Test func `a frame that is too big closes the socket with 1009`() async throws {
        let server = try SharedServer.current
        try await server.web.chat { chat in
            try await chat.socket.send(text: ByteBuffer(repeating: UInt8(ascii: " "), count: 1_048_577))
            #expect(try await chat.closeCode() == 1009)
        }
    }

    @Test func `a text that is no UTF-8 closes the socket with 1007`() async throws {
        let server = try SharedServer.current
        try await server.web.chat { chat in
            try await chat.socket.send(text: ByteBuffer(bytes: Array(#"{"text":""#.utf8) + [0xc3, 0x28, 0x22, 0x7d]))
            #expect(try await chat.closeCode() == 1007)
        }
    }

    @Test func `a socket that follows as many jobs as it may is told so and goes on`() async throws {
        let server = try SharedServer.current
        try await server.web.chat { chat in
            // Ten conversations, as one takes only so many messages.
            var heads: [JobID] = []
            for number in 0..<10 { heads.append(try await chat.say("[[hang]]", in: "crowded-\(number)")) }
            for number in 0..<300 { try await chat.submit("[[tokens=1]]", in: "crowded-\(number % 10)") }
            let refused = try await chat.frame("too many jobs are refused") {
                $0.data["code"]?.string == "too_many_jobs"
            }
            #expect(refused.event == "error")
            for job in heads {
                try await chat.cancel(job)
                try await chat.end(of: job)
            }
        }
    }
}
