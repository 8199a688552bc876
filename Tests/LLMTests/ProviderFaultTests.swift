import Testing

@testable import HTTPClient
@testable import LLM

@Suite(.timeLimit(.minutes(1)))
struct ProviderFaultTests {
    private func error(_ status: Int, _ body: String, type: String = "application/json") -> ModelError {
        var headers = OutboundHeaders()
        headers.append(name: "Content-Type", value: type)
        return ProviderFault.error(status: status, headers: headers, body: Array(body.utf8))
    }

    @Test(arguments: [
        (400, ModelError.Code.badRequest, false), (401, .authentication, false), (402, .quotaExceeded, false),
        (403, .authentication, false), (404, .notFound, false), (405, .badRequest, false), (408, .timeout, true),
        (409, .overloaded, true), (413, .badRequest, false), (422, .badRequest, false), (429, .rateLimited, true),
        (500, .serverError, true), (502, .serverError, true), (503, .overloaded, true), (504, .serverError, true),
        (529, .overloaded, true), (301, .badRequest, false),
    ])
    func `a status means one kind of error`(status: Int, code: ModelError.Code, isRetryable: Bool) {
        let error = self.error(status, #"{"error":{"message":"words"}}"#)
        #expect(error.code == code)
        #expect(error.isRetryable == isRetryable)
        #expect(error.status == status)
        #expect(error.message == "words")
    }

    @Test(arguments: [
        #"{"error":{"message":"x","code":"context_length_exceeded"}}"#,
        #"{"error":{"message":"This model's maximum context length is 8192 tokens","code":400}}"#,
        #"{"error":{"message":"the request exceeds the available context size"}}"#,
        #"{"message":"prompt is too long: 250000 tokens"}"#,
    ])
    func `a prompt that is too long is recognised`(body: String) {
        #expect(self.error(400, body).code == .contextTooLong)
        #expect(self.error(500, body).code == .serverError)
    }

    @Test func `a used up quota is not worth another try`() {
        let error = self.error(
            429,
            #"{"error":{"message":"x","type":"insufficient_quota","code":"insufficient_quota"}}"#
        )
        #expect(error.code == .quotaExceeded)
        #expect(!error.isRetryable)
    }

    @Test(arguments: [
        (#"{"error":"plain"}"#, "application/json", "plain"),
        (#"{"detail":"not here"}"#, "application/json", "not here"),
        (#"{"error":{"message":"m","metadata":{"raw":"upstream"}}}"#, "application/json", "m (upstream)"),
        ("<html><TITLE>502 Bad Gateway</TITLE></html>", "text/html", #"an HTML page titled "502 Bad Gateway""#),
        ("<!doctype html><p>x", "application/json", "an HTML page"),
        ("upstream down\n", "text/plain", "upstream down\n"), ("", "text/plain", "no explanation"),
        ("{broken", "application/json", "{broken"),
    ])
    func `the provider's words come through`(body: String, type: String, words: String) {
        #expect(self.error(502, body, type: type).message == words)
    }

    @Test(arguments: HTTPClientError.Code.allCases)
    func `every failure of a transfer has a meaning`(code: HTTPClientError.Code) {
        let retryable: Set<HTTPClientError.Code> = [.connect, .dns, .timeout, .reset, .failed]
        let error = ProviderFault.error(for: HTTPClientError(code, "words"))
        #expect(error.isRetryable == retryable.contains(code))
    }
}
