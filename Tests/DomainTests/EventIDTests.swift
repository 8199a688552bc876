import Domain
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EventIDTests {
    @Test(
        arguments: [
            ("0-0", 0, 0), ("0-1", 0, 1), ("1700000000123-45", 1_700_000_000_123, 45),
            ("999999999999999999-999999999999999999", 999_999_999_999_999_999, 999_999_999_999_999_999),
        ] as [(String, Int64, Int64)]
    )
    func `an id is read and written back as it was`(text: String, epoch: Int64, sequence: Int64) throws {
        let id = try #require(EventID(text))
        #expect(id == EventID(epoch: epoch, sequence: sequence))
        #expect(id.description == text)
        #expect(try JSON.text([id]) == "[\"\(text)\"]")
        #expect(try JSON.decode([EventID].self, from: "[\"\(text)\"]") == [id])
    }

    @Test(arguments: [
        "", "-", "1", "1-", "-1", "1-2-3", "1--2", "+1-2", "1-+2", " 1-2", "1-2 ", "a-1", "1-a", "1.0-2", "0x1-1",
        "１-1", "1-2\u{0}", "1000000000000000000-0", "0-9223372036854775808", "$", "*", "0-*",
    ])
    func `text that is no id is refused`(text: String) {
        #expect(EventID(text) == nil)
        #expect(throws: DecodingError.self) { try JSON.decode([EventID].self, from: JSON.encode([text])) }
    }

    @Test
    func `ids are ordered by epoch, then by sequence, not as text`() throws {
        let texts = ["0-0", "0-1", "0-2", "0-10", "9-100", "10-0", "10-9", "100-0"]
        let ids = try texts.map { try #require(EventID($0)) }
        #expect(ids.reversed().sorted() == ids)
        #expect(EventID.zero < .start)
        #expect(EventID(epoch: 7, sequence: 9).next == EventID(epoch: 7, sequence: 10))
    }
}
