import Domain
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EventFrameTests {
    private static let id = EventID(epoch: 1_700_000_000_123, sequence: 4)

    /// One frame of every type, and its exact bytes.
    private static func goldens() throws -> [(EventFrame, String)] {
        func frame(_ type: EventType, _ data: some Encodable) throws -> EventFrame {
            try EventFrame(id: self.id, type: type, data: data)
        }
        let failure = JobFailure(code: "provider_timeout", message: "no \"byte\"", retryable: true)
        return [
            (
                try EventFrame(
                    id: .start,
                    type: .start,
                    data: EventData.Start(
                        jobID: "j1",
                        conversationID: "c1",
                        agentID: .default,
                        messageID: "m2",
                        userMessageID: "m1"
                    )
                ),
                #"{"id":"0-1","event":"start","data":{"agent_id":"default","conversation_id":"c1","job_id":"j1","#
                    + #""message_id":"m2","user_message_id":"m1"}}"#
            ),
            (
                try frame(.attempt, EventData.Attempt(jobID: "j1", attempt: 2, reason: "lost")),
                Self.head("attempt") + #"{"attempt":2,"job_id":"j1","reason":"lost"}}"#
            ),
            (
                EventFrame(id: Self.id, type: .token, text: "a\"/é\n", jobID: "j1"),
                Self.head("token") + #"{"job_id":"j1","token":"a\"/é\n"}}"#
            ),
            (
                EventFrame(id: Self.id, type: .reasoning, text: "", jobID: "j1"),
                Self.head("reasoning") + #"{"job_id":"j1","token":""}}"#
            ),
            (
                try frame(.progress, EventData.Iteration(jobID: "j1", iteration: 1, maxIterations: 5)),
                Self.head("progress") + #"{"iteration":1,"job_id":"j1","max_iterations":5}}"#
            ),
            (
                try frame(
                    .action,
                    EventData.Action(
                        jobID: "j1",
                        action: "ls",
                        result: "{}",
                        status: "running",
                        toolCallID: "call_1",
                        phase: "start"
                    )
                ),
                Self.head("action")
                    + #"{"action":"ls","job_id":"j1","phase":"start","result":"{}","status":"running","#
                    + #""tool_call_id":"call_1"}}"#
            ),
            (
                try frame(.child, EventData.Child(jobID: "j1", child: Self.child, index: 1)),
                Self.head("child") + #"{"child_id":"j2","index":1,"job_id":"j1","state":"dead"}}"#
            ),
            (
                try frame(.snapshot, EventData.Snapshot(jobID: "j1", text: "t", reasoning: nil, iteration: 0)),
                Self.head("snapshot") + #"{"iteration":0,"job_id":"j1","text":"t"}}"#
            ),
            (
                try frame(.truncate, EventData.Truncate(jobID: "j1", to: EventID(epoch: 3, sequence: 2))),
                Self.head("truncate") + #"{"job_id":"j1","to":"3-2"}}"#
            ),
            (
                try frame(.complete, ["response": "x"]), Self.head("complete") + #"{"response":"x"}}"#
            ),
            (
                try frame(.error, EventData.Failure(jobID: "j1", failure: failure)),
                Self.head("error")
                    + #"{"code":"provider_timeout","job_id":"j1","message":"no \"byte\"","retryable":true}}"#
            ),
            (
                try frame(.error, EventData.Failure(jobID: nil, failure: failure)),
                Self.head("error") + #"{"code":"provider_timeout","message":"no \"byte\"","retryable":true}}"#
            ),
            (
                try frame(.cancelled, EventData.Cancelled(jobID: "j1")), Self.head("cancelled") + #"{"job_id":"j1"}}"#
            ),
        ]
    }

    private static let child = Job(
        id: "j2",
        kind: .chat,
        tenant: .default,
        state: .dead,
        priority: .default,
        conversationID: nil,
        agentID: nil,
        parentID: "j1",
        payload: "{}",
        result: nil,
        failure: nil,
        stopReason: nil,
        usage: nil,
        attempt: 1,
        claims: 1,
        lost: 0,
        failures: 0,
        redrives: 0,
        epoch: 1,
        workerID: nil,
        cancelRequested: false,
        announced: false,
        createdAt: Timestamp(milliseconds: 1),
        runAt: nil,
        dispatchedAt: nil,
        startedAt: nil,
        finishedAt: nil
    )

    private static func head(_ type: String) -> String {
        #"{"id":"1700000000123-4","event":"\#(type)","data":"#
    }

    @Test
    func `every type has its exact bytes, and its head and data are found in them`() throws {
        let goldens = try Self.goldens()
        #expect(Set(goldens.map(\.0.type)) == Set(EventType.allCases))
        for (frame, golden) in goldens {
            #expect(String(decoding: frame.bytes, as: UTF8.self) == golden)
            #expect(EventFrame(parsing: frame.bytes) == frame)
            let data = try #require(EventFrame.data(of: frame.bytes))
            let start = try #require(golden.range(of: #","data":"#)).upperBound
            #expect(String(decoding: data, as: UTF8.self) == golden[start...].dropLast())
        }
    }

    @Test
    func `the head is found in any collection of bytes, also one that does not start at 0`() throws {
        let frame = EventFrame(id: Self.id, type: .token, text: "x", jobID: "j1")
        let padded = (Array("###".utf8) + frame.bytes)[3...]
        #expect(EventFrame.head(of: padded)?.id == Self.id)
        #expect(
            EventFrame.data(of: padded).map { String(decoding: $0, as: UTF8.self) } == #"{"job_id":"j1","token":"x"}"#
        )
    }

    @Test(arguments: [
        "", "{", "{}", #"{"id":""#, #"{"id":"1-1"}"#, #"{"id":"1-1","event":"token"#,
        #"{"id":"1-1","event":"nope","data":{}}"#,
        #"{"id":"1","event":"token","data":{}}"#, #"{"id":"","event":"token","data":{}}"#,
        #"{"event":"token","id":"1-1","data":{}}"#, #"{ "id": "1-1", "event": "token", "data": {}}"#,
        #"{"id":"1-1","type":"token","data":{}}"#, #"[{"id":"1-1","event":"token","data":{}}]"#,
    ])
    func `bytes of another form have no head`(text: String) {
        #expect(EventFrame.head(of: Array(text.utf8)) == nil)
        #expect(EventFrame(parsing: Array(text.utf8)) == nil)
        #expect(EventFrame.data(of: Array(text.utf8)) == nil)
    }

    @Test(arguments: [
        // Cut off after the head, without data, with another member, an id that is not written our way.
        #"{"id":"1-1","event":"token""#, #"{"id":"1-1","event":"token"}"#, #"{"id":"1-1","event":"token","data":"#,
        #"{"id":"1-1","event":"token","data":{"job_id":"j"#, #"{"id":"1-1","event":"token","more":{}}"#,
        #"{"id":"01-1","event":"token","data":{}}"#,
    ])
    func `a frame with a head but without well-placed data gives no data`(text: String) {
        #expect(EventFrame.data(of: Array(text.utf8)) == nil)
    }

    @Test
    func `the data is decoded from the bytes`() throws {
        let snapshot = EventData.Snapshot(jobID: "j1", text: "\u{1}€\\", reasoning: "r", iteration: 3)
        let frame = try EventFrame(id: Self.id, type: .snapshot, data: snapshot)
        let read = try #require(EventFrame(parsing: frame.bytes))
        #expect(try read.data(as: EventData.Snapshot.self) == snapshot)
        #expect(throws: DecodingError.self) { try read.data(as: EventData.Truncate.self) }
    }

    @Test
    func `complete, error and cancelled end a log, nothing else does`() {
        #expect(EventType.allCases.filter(\.isTerminal) == [.complete, .error, .cancelled])
    }
}
