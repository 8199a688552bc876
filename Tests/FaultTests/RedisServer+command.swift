import Foundation
import TestSupport

extension RedisServer {
    /// Sends a command with `redis-cli`, beside whatever the programs under test have open, and returns the answer.
    func command(_ words: String...) async throws -> String {
        let log = self.directory.appendingPathComponent("cli-\(UUID().uuidString).log")
        let client = try await ChildProcess.start("redis-cli", ["-s", self.socketPath] + words, log: log)
        try await eventually(within: .seconds(20), "redis-cli has ended") { client.exitStatus != nil }
        let answer = try String(contentsOf: log, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        guard client.exitStatus == 0 else { throw NotInTime(description: "\(words): \(answer)") }
        return answer
    }
}
