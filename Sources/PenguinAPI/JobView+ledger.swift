import Domain
import Store

extension JobView {
    private static let childrenMax = 1000
    private static let positionMax = 10_000

    /// The view of a job with what its row does not say.
    init(_ job: Job, from ledger: Ledger) throws {
        self.init(job)
        self.children = try ledger.childStates(of: job.id, limit: Self.childrenMax).map {
            Child(jobID: $0.id, state: $0.state)
        }
        self.position = try ledger.position(of: job.id, countingTo: Self.positionMax)
        if job.state == .running, let limit = Limit(of: job) {
            let done = try ledger.turnsDone(of: job.id)
            self.progress = Progress(iteration: min(done + 1, limit.iterations), maxIterations: limit.iterations)
        }
    }

    /// What the payloads of all kinds that iterate have in common.
    private struct Limit: Decodable {
        let iterations: Int

        /// Nil for a job without iterations.
        init?(of job: Job) {
            guard let limit = try? JSON.decode(Limit.self, from: job.payload) else { return nil }
            self = limit
        }

        enum CodingKeys: String, CodingKey {
            case iterations = "max_iterations"
        }
    }
}
