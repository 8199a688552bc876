import Foundation
import Testing

@testable import HTTPClient
@testable import LLM

@Suite(.timeLimit(.minutes(1)))
struct RetryAfterTests {
    private func headers(_ lines: [String: String]) -> OutboundHeaders {
        var headers = OutboundHeaders()
        for (name, value) in lines { headers.append(name: name, value: value) }
        return headers
    }

    @Test(arguments: [
        ("0", Duration.zero), ("7", .seconds(7)), ("1.5", .milliseconds(1500)), ("-3", .zero),
        ("99999999999", RetryAfter.delayMax), ("nan", nil), ("soon", nil), ("", nil),
        ("Sun, 06 Nov 1994 08:49:37 GMT", .seconds(30)), ("Sunday, 06-Nov-94 08:49:37 GMT", .seconds(30)),
        ("Sun Nov  6 08:49:37 1994", .seconds(30)), ("Sun, 06 Nov 1994 08:00:00 GMT", .zero),
        ("Sun, 06 Foo 1994 08:49:37 GMT", nil), ("Sun, 06 Nov", nil),
    ])
    func `seconds and dates are read`(text: String, expected: Duration?) throws {
        // 06 Nov 1994 08:49:07 UTC.
        let now = Date(timeIntervalSince1970: 784_111_747)
        #expect(RetryAfter.delay(in: self.headers(["Retry-After": text]), now: now) == expected)
    }

    @Test func `a date counts from the answer's own date`() {
        let lines = ["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:27 GMT"]
        #expect(RetryAfter.delay(in: self.headers(lines), now: Date()) == .seconds(10))
    }

    @Test func `milliseconds win`() {
        let lines = ["retry-after": "2", "retry-after-ms": "1200"]
        #expect(RetryAfter.delay(in: self.headers(lines), now: Date()) == .milliseconds(1200))
        #expect(RetryAfter.delay(in: self.headers([:]), now: Date()) == nil)
    }
}
