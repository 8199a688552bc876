import Testing

@testable import LLM

@Suite(.timeLimit(.minutes(1)))
struct ProviderKeysTests {
    private let keys = ProviderKeys(environment: [
        "OPENAI_API_KEY": " sk-proj-abcdef123456\n", "OTHER_API_KEY": "other-secret", "MINE": "my-own-secret",
        "SHORT_API_KEY": "x", "PATH": "/usr/bin",
    ])

    @Test func `a key is read without the spaces around it`() {
        #expect(self.keys.value(of: "OPENAI_API_KEY") == "sk-proj-abcdef123456")
        #expect(self.keys.value(of: "NONE") == nil)
        #expect(ProviderKeys(environment: ["A": " \n"]).value(of: "A") == nil)
    }

    @Test(arguments: [
        ("Incorrect API key provided: sk-proj-abcdef123456.", "Incorrect API key provided: [key]."),
        ("provided: sk-proj-********3456. You can", "provided: [key] You can"),
        ("Bearer other-secret and my-own-secret", "Bearer [key] and [key]"),
        ("a task-list in /usr/bin by x", "a task-list in /usr/bin by x"),
    ])
    func `no key is quoted`(text: String, expected: String) {
        #expect(self.keys.redact(text, used: "my-own-secret") == expected)
    }

    @Test func `no description shows a key`() {
        var dumped = ""
        dump(self.keys, to: &dumped)
        for text in ["\(self.keys)", String(reflecting: self.keys), dumped] { #expect(!text.contains("secret")) }
    }
}
