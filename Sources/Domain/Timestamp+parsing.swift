extension Timestamp {
    /// Parses RFC 3339, with or without a fraction, in any offset; nil when `text` is something else.
    ///
    /// Strict, by hand: Foundation's parser takes 30 February and text after the end, and counts Julian days before 1582.
    /// Digits beyond the millisecond are cut off; a leap second is the second after it.
    public init?(rfc3339 text: String) {
        var reader = Reader(rest: text.utf8[...])
        guard let date = reader.date(), reader.take("Tt"), let time = reader.time(), let offset = reader.offset(),
            reader.rest.isEmpty
        else { return nil }
        self.init(milliseconds: Int64(date) * 86_400_000 + Int64(time) - Int64(offset) * 60_000)
    }

    /// Reads the parts of a time one after the other; nil when the part is not there or not possible.
    private struct Reader {
        var rest: Substring.UTF8View

        /// `YYYY-MM-DD` as days since 1970.
        mutating func date() -> Int? {
            guard let year = self.number(4, in: 0...9999), self.take("-"), let month = self.number(2, in: 1...12),
                self.take("-"), let day = self.number(2, in: 1...Reader.days(in: month, of: year))
            else { return nil }
            // Eras of 400 years, years that start in March.
            let shifted = month <= 2 ? year - 1 : year
            let era = shifted >= 0 ? shifted / 400 : -1
            let yearOfEra = shifted - era * 400
            let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
            return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        }

        /// `hh:mm:ss` with or without a fraction, as milliseconds.
        mutating func time() -> Int? {
            guard let hour = self.number(2, in: 0...23), self.take(":"), let minute = self.number(2, in: 0...59),
                self.take(":"), let second = self.number(2, in: 0...60)
            else { return nil }
            var milliseconds = 0
            if self.take(".") {
                let digits = self.rest.prefix { (48...57).contains($0) }
                guard !digits.isEmpty else { return nil }
                self.rest = self.rest.dropFirst(digits.count)
                let padded = Array(digits.prefix(3)) + [48, 48]
                milliseconds = padded.prefix(3).reduce(0) { $0 * 10 + Int($1 - 48) }
            }
            return ((hour * 60 + minute) * 60 + second) * 1000 + milliseconds
        }

        /// `Z` or `±hh:mm` as minutes east.
        mutating func offset() -> Int? {
            if self.take("Zz") { return 0 }
            let sign = self.take("+") ? 1 : -1
            guard sign == 1 || self.take("-"), let hours = self.number(2, in: 0...23), self.take(":"),
                let minutes = self.number(2, in: 0...59)
            else { return nil }
            return sign * (hours * 60 + minutes)
        }

        mutating func take(_ anyOf: String) -> Bool {
            guard let first = self.rest.first, anyOf.utf8.contains(first) else { return false }
            self.rest.removeFirst()
            return true
        }

        private mutating func number(_ digits: Int, in range: ClosedRange<Int>) -> Int? {
            let part = self.rest.prefix(digits)
            guard part.count == digits, part.allSatisfy({ (48...57).contains($0) }) else { return nil }
            self.rest = self.rest.dropFirst(digits)
            let value = part.reduce(0) { $0 * 10 + Int($1 - 48) }
            return range.contains(value) ? value : nil
        }

        private static func days(in month: Int, of year: Int) -> Int {
            switch month {
            case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
            case 4, 6, 9, 11: 30
            default: 31
            }
        }
    }
}
