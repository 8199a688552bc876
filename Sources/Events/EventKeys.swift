package import Domain

/// The names of everything that `Events` has in Redis; docs/redis-layout.md lists them all.
package struct EventKeys: Sendable {
    private let prefix: String

    /// Keys under a prefix, `penguin:` unless configured otherwise.
    package init(prefix: String) {
        self.prefix = prefix
    }

    /// The stream of a job's events, and the pub/sub channel that carries the same bytes.
    package func log(_ job: JobID) -> String { "\(self.prefix)log:\(job)" }
}
