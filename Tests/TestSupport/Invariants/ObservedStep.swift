package import Domain

/// A row of `steps`.
package struct ObservedStep: Sendable, Equatable {
    package var job: JobID
    package var index: Int
    package var kind: String
    package var state: String
    package var epoch: Int64

    package init(job: JobID, index: Int, kind: String, state: String, epoch: Int64) {
        self.job = job
        self.index = index
        self.kind = kind
        self.state = state
        self.epoch = epoch
    }
}
