import Domain
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (-86_400_000, "1969-12-31T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"), (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"), (-2_203_977_600_000, "1900-02-28T00:00:00.000Z"),
            (1_735_689_599_999, "2024-12-31T23:59:59.999Z"), (4_102_444_800_000, "2100-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
            (1_795_464_900_123, "2026-11-23T20:15:00.123Z"),
        ] as [(Int64, String)]
    )
    func `a time is written in RFC 3339 and read back`(milliseconds: Int64, text: String) throws {
        let time = Timestamp(milliseconds: milliseconds)
        #expect(time.description == text)
        #expect(Timestamp(rfc3339: text) == time)
        #expect(try JSON.text([time]) == "[\"\(text)\"]")
        #expect(try JSON.decode([Timestamp].self, from: "[\"\(text)\"]") == [time])
    }

    @Test(
        arguments: [
            ("2024-02-29T12:00:00Z", 1_709_208_000_000), ("2024-02-29T12:00:00+00:00", 1_709_208_000_000),
            ("2024-02-29T14:00:00+02:00", 1_709_208_000_000), ("2024-02-29T06:30:00-05:30", 1_709_208_000_000),
            ("2024-03-01T01:00:00.5+13:00", 1_709_208_000_500), ("2024-02-29T12:00:00.1Z", 1_709_208_000_100),
            ("2024-02-29T12:00:00.12Z", 1_709_208_000_120), ("2024-02-29T12:00:00.123456Z", 1_709_208_000_123),
            ("2024-02-29T12:00:00.123456789Z", 1_709_208_000_123), ("1969-12-31T23:59:59.5Z", -500),
            ("2024-02-29t12:00:00z", 1_709_208_000_000), ("2024-02-29T12:00:00.9999Z", 1_709_208_000_999),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("2000-02-29T00:00:00-00:00", 951_782_400_000),
        ] as [(String, Int64)]
    )
    func `any offset and any fraction is read`(text: String, milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "now", "2024", "2024-02-29", "12:00:00Z", "2024-02-30T12:00:00Z", "2023-02-29T12:00:00Z",
        "2024-13-01T12:00:00Z", "2024-00-01T12:00:00Z", "2024-02-29T25:00:00Z", "2024-02-29T12:60:00Z",
        "2024-02-29T12:00:00", "2024-02-29T12:00:00Zjunk", "2024-02-29T12:00Z", "1709208000000",
        "2024-02-29T12:00:00.Z", "2024-02-29T12:00:00,5Z", "2024-02-29T12:00:00+0200", "2024-02-29T12:00:00+24:00",
        "2024-02-29 12:00:00Z", "1900-02-29T12:00:00Z", "2024-04-31T12:00:00Z", "２024-02-29T12:00:00Z",
        "-024-02-29T12:00:00Z", "20240-02-29T12:00:00Z", "2024-02-29T12:00:61Z", "2024-02-29T12:00:00Z ",
    ])
    func `text that is no time is refused`(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
        #expect(throws: DecodingError.self) { try JSON.decode([Timestamp].self, from: JSON.encode([text])) }
    }

    @Test
    func `days of twenty-five centuries are read as they were written`() throws {
        let day: Int64 = 86_400_000
        for number in stride(from: Int64(-719_162), through: 200_000, by: 97) {
            let time = Timestamp(milliseconds: number * day + 123)
            #expect(Timestamp(rfc3339: time.description) == time, "\(time)")
        }
    }

    @Test
    func `times and durations add up to the millisecond`() {
        let time = Timestamp(milliseconds: 1000)
        #expect(time + .milliseconds(250) == Timestamp(milliseconds: 1250))
        #expect(time - .seconds(2) == Timestamp(milliseconds: -1000))
        #expect(Timestamp(milliseconds: 5) - time == .milliseconds(-995))
        #expect(Duration.microseconds(1999).milliseconds == 1)
        #expect(Duration.microseconds(-1999).milliseconds == -1)
        #expect(Duration.milliseconds(1500).seconds == 1.5)
        #expect(Timestamp(milliseconds: 1) < Timestamp(milliseconds: 2))
    }
}
