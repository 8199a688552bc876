import Foundation
import HTTPClient

/// How long a provider asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
enum RetryAfter {
    /// Longer waits are cut to this.
    static let delayMax = Duration.seconds(3600)

    /// The wait; nil when there is none or it cannot be read.
    ///
    /// A date counts from the answer's own `Date`, since two clocks differ.
    static func delay(in headers: OutboundHeaders, now: Date) -> Duration? {
        if let text = headers["retry-after-ms"], let milliseconds = Double(text) {
            return self.clamped(milliseconds / 1000)
        }
        guard let text = headers["retry-after"] else { return nil }
        if let seconds = Double(text) { return self.clamped(seconds) }
        guard let date = self.date(text) else { return nil }
        let sent = headers["date"].flatMap(self.date) ?? now
        return self.clamped(date.timeIntervalSince(sent))
    }

    private static func clamped(_ seconds: Double) -> Duration? {
        guard seconds.isFinite else { return nil }
        return min(self.delayMax, .milliseconds(Int(max(0, min(seconds, 1e9)) * 1000)))
    }

    /// The three forms of an HTTP date, which differ in the order of their parts (RFC 9110, 5.6.7).
    static func date(_ text: String) -> Date? {
        let words = text.split { " ,-:".contains($0) }.map(String.init)
        guard words.count >= 7 else { return nil }
        let isAsctime = Int(words[1]) == nil
        let order = isAsctime ? [2, 1, 6, 3, 4, 5] : [1, 2, 3, 4, 5, 6]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard let month = months.firstIndex(of: words[order[1]]), let day = Int(words[order[0]]),
            var year = Int(words[order[2]]), let hour = Int(words[order[3]]), let minute = Int(words[order[4]]),
            let second = Int(words[order[5]]), let utc = TimeZone(secondsFromGMT: 0)
        else { return nil }
        // RFC 850 has two digits.
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = utc
        let parts = DateComponents(year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
        return calendar.date(from: parts)
    }
}
