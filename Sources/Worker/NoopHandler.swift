import Domain
package import Queue
import Store

/// Runs `noop` jobs: there is nothing to do, and that is done at once.
package struct NoopHandler: JobHandler {
    package init() {}

    package var isStreaming: Bool { false }

    package func run(_ lease: Lease, in context: RunContext) async throws -> JobOutcome {
        .ended(Ending(state: .completed, result: "{}"))
    }
}
