import Domain

/// The names of everything that `Queue` has in Redis; docs/redis-layout.md lists them all.
package struct QueueKeys: Sendable {
    private let prefix: String

    /// Keys under a prefix, `penguin:` unless configured otherwise.
    package init(prefix: String) {
        self.prefix = prefix
    }

    /// The consumer group of every job stream.
    static let group = "workers"

    /// The stream of dispatched jobs of a priority.
    func jobs(_ priority: JobPriority) -> String { "\(self.prefix)jobs:\(priority.name)" }

    /// The channel on which workers are told to cancel.
    var control: String { "\(self.prefix)control" }
}
