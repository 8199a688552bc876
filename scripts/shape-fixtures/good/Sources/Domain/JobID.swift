import Foundation

/// Names a job. Nothing here does what the words in these comments say: try! fatalError( print( Task.detached
public struct JobID: Sendable {
    /// As in `job_…`.
    public let text: String
}
