import ArgumentParser
import Foundation

/// Why a command did not do what it was asked, in words for people.
struct CommandFailure: Error {
    let message: String

    /// Runs a command; a failure goes to stderr and makes the exit code 1.
    static func reporting(_ command: () async throws -> Void) async throws {
        do {
            try await command()
        } catch let failure as CommandFailure {
            failure.show()
            throw ExitCode.failure
        }
    }

    func show() {
        FileHandle.standardError.write(Data("penguin: \(self.message)\n".utf8))
    }
}
