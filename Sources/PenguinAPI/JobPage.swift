public import Domain

/// Which jobs to list.
public struct JobQuery: Sendable {
    /// Which ones; all by default.
    public var filter: JobFilter
    /// How many at most.
    public var limit: Int
    /// The last job of the page before: only older ones are listed.
    public var cursor: JobID?

    /// A query with its parts.
    public init(_ filter: JobFilter = JobFilter(), limit: Int = 100, cursor: JobID? = nil) {
        self.filter = filter
        self.limit = limit
        self.cursor = cursor
    }
}

/// A page of jobs.
public struct JobPage: Codable, Sendable {
    /// Newest first, without results, children, positions and progress.
    public var jobs: [JobView]
    /// How many there are in all pages.
    public var total: Int
    /// Names the next page; nil on the last.
    public var nextCursor: JobID?

    enum CodingKeys: String, CodingKey {
        case jobs, total
        case nextCursor = "next_cursor"
    }
}

/// The jobs that were put back in one go.
public struct RetriedJobs: Codable, Sendable {
    /// How many.
    public var retried: Int
    /// Which, in the order in which they were put back.
    public var jobs: [JobID]
    /// How many more the filter fits, by what was there before.
    public var remaining: Int
}
