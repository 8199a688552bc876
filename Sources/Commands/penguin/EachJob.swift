import ArgumentParser

/// Does the same with several jobs: one that fails does not keep the others from being tried.
struct EachJob {
    private let jobs: [String]

    init(_ jobs: [String]) {
        self.jobs = jobs
    }

    /// Exit code 1 when any failed.
    func run(_ body: (String) async throws -> Void) async throws {
        var hasFailed = false
        for job in self.jobs {
            do {
                try await body(job)
            } catch let failure as CommandFailure {
                failure.show()
                hasFailed = true
            }
        }
        if hasFailed { throw ExitCode.failure }
    }
}
