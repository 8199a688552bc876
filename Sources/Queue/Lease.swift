package import Domain

/// The exclusive right to run a job: the job as claimed, and the epoch under which everything about it is written.
package struct Lease: Sendable {
    /// The job's row at the claim.
    package let job: Job

    package init(_ job: Job) {
        self.job = job
    }

    package var id: JobID { self.job.id }
    package var epoch: Int64 { self.job.epoch }
}
