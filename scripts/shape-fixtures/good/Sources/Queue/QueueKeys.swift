import Domain

/// The keys of the queue.
struct QueueKeys {
    let prefix: String

    var high: String { "\(self.prefix)jobs:high" }
    var claim: [String] { ["XREADGROUP", "GROUP"] }
}
