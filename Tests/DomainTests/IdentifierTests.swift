import Domain
import Testing

@Suite(.timeLimit(.minutes(1)))
struct IdentifierTests {
    @Test(arguments: [
        "a", "A", "0", "_", ".", ":", "-", "..", "my-chat_1.2:3", "conv_0193a", String(repeating: "x", count: 128),
    ])
    func `an id from outside is taken as it is`(text: String) {
        #expect(ConversationID(validating: text)?.rawValue == text)
    }

    @Test(arguments: [
        "", " ", "a b", "a/b", "a\\b", "a\u{0}b", "a\n", "ä", "🐧", "a%20b", "a?b", "a#b", "a\"b", "a'b", "a*", "(a)",
        "a@b",
        "e\u{301}", "ａ", String(repeating: "x", count: 129),
    ])
    func `text that could hurt is refused`(text: String) {
        #expect(ConversationID(validating: text) == nil)
    }

    @Test
    func `an id is a plain string in JSON and its own type in Swift`() throws {
        #expect(try JSON.text(["job": JobID(rawValue: "job_1")]) == #"{"job":"job_1"}"#)
        #expect(try JSON.decode(JobID.self, from: #""job_1""#) == JobID(rawValue: "job_1"))
        #expect(throws: DecodingError.self) { try JSON.decode(JobID.self, from: "1") }
        #expect(JobID(rawValue: "job_1").description == "job_1")
        #expect(JobID(rawValue: "job_1") < JobID(rawValue: "job_2"))
        #expect(TenantID.default.rawValue == "default")
        #expect(AgentID.default.rawValue == "default")
    }
}
