import Domain
import Synchronization

/// The jobs that a socket follows now.
final class FollowedJobs: Sendable {
    private let max: Int
    private let counts = Mutex<[JobID: Int]>([:])

    init(max: Int) {
        self.max = max
    }

    func contains(_ job: JobID) -> Bool { self.counts.withLock { $0[job] != nil } }

    /// Throws when the socket follows as many jobs as it may.
    func checkRoom() throws(JobFailure) {
        guard self.counts.withLock({ $0.count }) >= self.max else { return }
        throw JobFailure(
            code: "too_many_jobs",
            message: "One socket may follow \(self.max) jobs at once.",
            retryable: true
        )
    }

    func enter(_ job: JobID) {
        self.counts.withLock { $0[job, default: 0] += 1 }
    }

    func leave(_ job: JobID) {
        self.counts.withLock { counts in
            let left = (counts[job] ?? 1) - 1
            counts[job] = left > 0 ? left : nil
        }
    }
}
