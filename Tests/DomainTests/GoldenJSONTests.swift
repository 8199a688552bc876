import Domain
import Foundation
import Testing

/// What crosses a process or stays on disk, byte for byte: a program of yesterday must read it, and one of tomorrow too.
@Suite(.timeLimit(.minutes(1)))
struct GoldenJSONTests {
    private func expect<Value: Codable & Equatable>(
        _ value: Value,
        _ golden: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(try JSON.text(value) == golden, sourceLocation: sourceLocation)
        #expect(try JSON.decode(Value.self, from: golden) == value, sourceLocation: sourceLocation)
    }

    @Test
    func `a chat payload with all it can have`() throws {
        let payload = ChatPayload(
            text: "Grüße/\"x\"\n",
            conversationID: "c1",
            agentID: "helper",
            userMessageID: "m1",
            answerID: "m2",
            context: ["b": .integer(1), "a": .array([.null, .bool(true)])],
            streaming: false,
            maxIterations: 7,
            includeReasoning: true,
            model: "big",
            timeLimitSeconds: 30
        )
        try self.expect(
            payload,
            #"{"agent_id":"helper","answer_id":"m2","context":{"a":[null,true],"b":1},"conversation_id":"c1","#
                + #""include_reasoning":true,"max_iterations":7,"model":"big","streaming":false,"#
                + #""text":"Grüße/\"x\"\n","time_limit":30,"user_message_id":"m1"}"#
        )
    }

    @Test
    func `a chat payload with the defaults`() throws {
        let payload = ChatPayload(text: "hi", conversationID: "c1", userMessageID: "m1", answerID: "m2")
        try self.expect(
            payload,
            #"{"agent_id":"default","answer_id":"m2","conversation_id":"c1","include_reasoning":false,"#
                + #""max_iterations":5,"streaming":true,"text":"hi","user_message_id":"m1"}"#
        )
    }

    @Test
    func `a chat reply with tool results, reasoning and cost`() throws {
        let reply = ChatReply(
            response: "done",
            actionResults: [ActionResult(action: "ls", result: "a\tb", status: .denied, toolCallID: "call_1")],
            reasoning: "hm",
            conversationID: "c1",
            messageID: "m2",
            jobID: "j1",
            stopReason: .timeLimit,
            iterations: 2,
            usage: TokenUsage(
                promptTokens: 10,
                completionTokens: 4,
                reasoningTokens: 1,
                cachedTokens: 2,
                cost: 0.5
            ),
            agentID: .default,
            model: "big"
        )
        try self.expect(
            reply,
            #"{"action_results":[{"action":"ls","result":"a\tb","status":"denied","tool_call_id":"call_1"}],"#
                + #""agent_id":"default","conversation_id":"c1","iterations":2,"job_id":"j1","message_id":"m2","#
                + #""model":"big","reasoning":"hm","response":"done","status":"time_limit","stop_reason":"time_limit","#
                + #""usage":{"cached_tokens":2,"completion_tokens":4,"cost":0.5,"prompt_tokens":10,"reasoning_tokens":1}}"#
        )
    }

    @Test
    func `a chat reply without reasoning and cost leaves both out`() throws {
        let reply = ChatReply(
            response: "",
            actionResults: [],
            reasoning: nil,
            conversationID: "c1",
            messageID: "m2",
            jobID: "j1",
            stopReason: .finalAnswer,
            iterations: 1,
            usage: TokenUsage(),
            agentID: .default,
            model: "offline"
        )
        try self.expect(
            reply,
            #"{"action_results":[],"agent_id":"default","conversation_id":"c1","iterations":1,"job_id":"j1","#
                + #""message_id":"m2","model":"offline","response":"","status":"completed","#
                + #""stop_reason":"final_answer","usage":{"cached_tokens":0,"completion_tokens":0,"#
                + #""prompt_tokens":0,"reasoning_tokens":0}}"#
        )
    }

    @Test(arguments: [
        (StopReason.finalAnswer, ChatReply.Status.completed), (.maxIterations, .iterationsExceeded),
        (.timeLimit, .timeLimit), (.cancelled, .stopped), (.stalled, .stopped), (.providerError, .stopped),
    ])
    func `the status of a reply follows from its stop reason`(reason: StopReason, status: ChatReply.Status) {
        let reply = ChatReply(
            response: "",
            actionResults: [],
            reasoning: nil,
            conversationID: "c",
            messageID: "m",
            jobID: "j",
            stopReason: reason,
            iterations: 1,
            usage: TokenUsage(),
            agentID: .default,
            model: "m"
        )
        #expect(reply.status == status)
    }

    @Test
    func `a message with all it can have`() throws {
        let message = Message(
            id: "m1",
            role: .assistant,
            content: "x",
            category: .systemOutput,
            timestamp: Timestamp(milliseconds: 1_700_000_000_123),
            agentID: "a",
            recipientID: "r",
            messageType: .action,
            channel: "ops",
            reasoning: "why",
            toolCalls: [ToolCall(id: "call_1", name: "ls", arguments: #"{"p":"/"}"#)],
            toolCallID: "call_0",
            tokens: 3,
            metadata: ["k": .string("v")]
        )
        try self.expect(
            message,
            #"{"agent_id":"a","category":"SYSTEM_OUTPUT","channel":"ops","content":"x","id":"m1","#
                + #""message_type":"action","metadata":{"k":"v"},"reasoning":"why","recipient_id":"r","#
                + #""role":"assistant","timestamp":"2023-11-14T22:13:20.123Z","tokens":3,"tool_call_id":"call_0","#
                + #""tool_calls":[{"arguments":"{\"p\":\"/\"}","id":"call_1","name":"ls"}]}"#
        )
    }

    @Test
    func `a plain message leaves out what it does not have`() throws {
        let message = Message(id: "m1", role: .user, content: "hi", timestamp: Timestamp(milliseconds: 0))
        try self.expect(
            message,
            #"{"category":"DIALOG","content":"hi","id":"m1","message_type":"message","metadata":{},"role":"user","#
                + #""timestamp":"1970-01-01T00:00:00.000Z","tokens":0}"#
        )
    }

    @Test
    func `a conversation`() throws {
        let conversation = Conversation(
            id: "c1",
            title: "T",
            agentID: .default,
            createdAt: Timestamp(milliseconds: 0),
            lastActive: Timestamp(milliseconds: 1),
            messageCount: 2,
            tokenCount: 9,
            metadata: [:]
        )
        try self.expect(
            conversation,
            #"{"agent_id":"default","created_at":"1970-01-01T00:00:00.000Z","id":"c1","#
                + #""last_active":"1970-01-01T00:00:00.001Z","message_count":2,"metadata":{},"title":"T","token_count":9}"#
        )
    }

    @Test
    func `a step of a model turn and one of a tool call`() throws {
        try self.expect(
            Step(
                index: 0,
                kind: .modelTurn,
                state: .done,
                result: "{}",
                usage: TokenUsage(promptTokens: 1),
                covers: EventID(epoch: 5, sequence: 6)
            ),
            #"{"covers":"5-6","index":0,"kind":"model_turn","result":"{}","state":"done","usage":{"cached_tokens":0,"#
                + #""completion_tokens":0,"prompt_tokens":1,"reasoning_tokens":0}}"#
        )
        try self.expect(
            Step(
                index: 1,
                kind: .toolCall,
                state: .intent,
                call: ToolCall(id: "c", name: "n", arguments: ""),
                result: nil,
                usage: nil,
                covers: .zero
            ),
            #"{"call":{"arguments":"","id":"c","name":"n"},"covers":"0-0","index":1,"kind":"tool_call","state":"intent"}"#
        )
    }

    @Test
    func `a failure`() throws {
        try self.expect(
            JobFailure(code: "lost", message: "gone", retryable: true),
            #"{"code":"lost","message":"gone","retryable":true}"#
        )
    }

    @Test
    func `the words of the wire`() {
        #expect(
            JobState.allCases.map(\.rawValue) == [
                "scheduled", "queued", "dispatched", "running", "waiting", "completed", "failed", "cancelled", "dead",
            ]
        )
        #expect(JobState.allCases.filter(\.isTerminal) == [.completed, .failed, .cancelled, .dead])
        #expect(JobPriority.allCases.map(\.rawValue) == [0, 1, 2])
        #expect(JobPriority.allCases.map(\.name) == ["high", "default", "low"])
        #expect(Step.Kind.allCases.map(\.rawValue) == ["model_turn", "tool_call"])
        #expect(Step.State.allCases.map(\.rawValue) == ["intent", "done", "failed", "unknown"])
        #expect(Message.Kind.allCases.map(\.rawValue) == ["message", "action", "status"])
        #expect(Message.Role.allCases.map(\.rawValue) == ["system", "user", "assistant", "tool"])
        #expect(
            StopReason.allCases.map(\.rawValue) == [
                "final_answer", "max_iterations", "time_limit", "cancelled", "stalled", "child_failed",
                "provider_error",
            ]
        )
    }

    @Test
    func `usages are summed, and a cost stays unknown until some turn has one`() {
        var sum = TokenUsage(promptTokens: 1, completionTokens: 2, reasoningTokens: 3, cachedTokens: 4)
        sum += TokenUsage(promptTokens: 10, completionTokens: 20, reasoningTokens: 30, cachedTokens: 40)
        #expect(sum == TokenUsage(promptTokens: 11, completionTokens: 22, reasoningTokens: 33, cachedTokens: 44))
        sum += TokenUsage(cost: 0.25)
        sum += TokenUsage(cost: 0.5)
        sum += TokenUsage()
        #expect(sum.cost == 0.75)
    }
}
