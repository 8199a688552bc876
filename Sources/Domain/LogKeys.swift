/// The metadata keys of log lines, so that one search finds everything about a job.
public enum LogKeys {
    /// A job's id.
    public static let job = "job"
    /// A conversation's id.
    public static let conversation = "conversation"
    /// A worker's id.
    public static let worker = "worker"
    /// A tenant's id.
    public static let tenant = "tenant"
    /// A request's id.
    public static let request = "request"
    /// What went wrong.
    public static let error = "error"
}
