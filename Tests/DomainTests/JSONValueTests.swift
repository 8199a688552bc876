import Domain
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1)))
struct JSONValueTests {
    @Test(arguments: [
        ("null", JSONValue.null), ("true", .bool(true)), ("false", .bool(false)), ("0", .integer(0)),
        ("-1", .integer(-1)), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("0.5", .number(0.5)), ("1e+300", .number(1e300)), (#""""#, .string("")), (#""true""#, .string("true")),
        (#""a\"\\\n/é""#, .string("a\"\\\n/é")), ("[]", .array([])), ("{}", .object([:])),
        ("[null,[1,[\"x\"]]]", .array([.null, .array([.integer(1), .array([.string("x")])])])),
        (#"{"a":{"b":[1.5]},"c":null}"#, .object(["a": .object(["b": .array([.number(1.5)])]), "c": .null])),
    ])
    func `a value is read and written back as it was`(text: String, value: JSONValue) throws {
        #expect(try JSON.decode(JSONValue.self, from: text) == value)
        #expect(try JSON.text(value) == text)
    }

    @Test(arguments: [
        ("1.0", JSONValue.integer(1)), ("1e3", .integer(1000)),
        ("18446744073709551616", .number(18_446_744_073_709_551_616)),
        ("-0.25", .number(-0.25)), (#""é""#, .string("é")), (" [ 1 , 2 ] ", .array([.integer(1), .integer(2)])),
    ])
    func `a value written otherwise is understood`(text: String, value: JSONValue) throws {
        #expect(try JSON.decode(JSONValue.self, from: text) == value)
    }

    @Test(arguments: ["", "{", "[1,", "nul", "01", "'a'", "{a:1}", "[1]]", #"{"a":1}x"#, "1e999", "\"\u{1}\""])
    func `what is not JSON is refused`(text: String) {
        #expect(throws: (any Error).self) { try JSON.decode(JSONValue.self, from: text) }
    }

    @Test
    func `deep nesting is an error, not a crash`() async throws {
        // A task of its own: its stack is what a request has.
        let deep = Task.detached { () -> Bool in
            let text = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
            return (try? JSON.decode(JSONValue.self, from: text)) == nil
        }
        #expect(await deep.value)
        let nested = Task.detached { () throws -> String in
            let text = String(repeating: "[", count: 400) + String(repeating: "]", count: 400)
            return try JSON.text(JSON.decode(JSONValue.self, from: text))
        }
        #expect(try await nested.value.count == 800)
    }

    @Test
    func `members are found by name`() {
        let value = JSONValue.object(["a": .string("x"), "b": .integer(1)])
        #expect(value["a"]?.string == "x")
        #expect(value["b"]?.string == nil)
        #expect(value["c"] == nil)
        #expect(value.object?.count == 2)
        #expect(JSONValue.array([])["a"] == nil)
    }
}
