import Foundation
import Settings
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ExposureTests {
    @Test(arguments: [
        ("127.0.0.1", false), ("127.8.9.10", false), ("localhost", false), ("LocalHost", false), ("::1", false),
        ("[::1]", false), ("0:0:0:0:0:0:0:1", false), ("::ffff:127.0.0.1", false),
        ("0.0.0.0", true), ("::", true), ("192.168.0.2", true), ("::2", true), ("::ffff:10.0.0.1", true),
        ("penguin.example", true), ("127.example", true), ("128.0.0.1", true), ("localhost.example", true),
    ])
    func `an address that others can reach needs an API key`(host: String, isExposed: Bool) throws {
        let open = try withFile("") { try Settings(file: $0, environment: ["HOME": "/h", "HOST": host]) }
        #expect((open.exposureProblem() != nil) == isExposed)
        if let problem = open.exposureProblem() {
            #expect(problem.contains(host) && problem.contains("PENGUIN_API_KEYS") && problem.contains("127.0.0.1"))
        }
        var locked = open
        locked.server.apiKeys = [APIKey(name: nil, key: "0123456789abcdef")]
        #expect(locked.exposureProblem() == nil)
    }
}
