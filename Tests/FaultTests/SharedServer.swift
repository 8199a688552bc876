import TestSupport
import Testing

/// Gives all tests of a suite one `penguin-web`, for suites whose tests do the server no harm.
struct SharedServer: SuiteTrait, TestScoping {
    struct Running: Sendable {
        let fleet: Fleet
        let web: WebServer
    }

    @TaskLocal private static var running: Running?

    let variables: [String: String]

    /// The server of the suite that runs.
    static var current: Running {
        get throws { try #require(self.running) }
    }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withFleet(variables: self.variables) { fleet in
            let web = try await fleet.startWeb()
            try await Self.$running.withValue(Running(fleet: fleet, web: web)) { try await function() }
            #expect(web.process.exitCode == nil, "the server has ended: \(web.process.lastErrors)")
        }
    }
}

extension Trait where Self == SharedServer {
    /// One `penguin-web` with its own Redis and worker.
    static func sharedServer(_ variables: [String: String] = [:]) -> SharedServer {
        SharedServer(variables: variables)
    }
}
