import CoreMetrics

/// What the writer of a database counts and times.
struct StoreMetrics: Sendable {
    /// From the beginning of a transaction to its end, sync included.
    let commits: CoreMetrics.Timer
    /// Writes that shared a transaction.
    let batches: Recorder
    /// Writes that were refused because too many waited.
    let refused: Counter

    init(_ factory: any MetricsFactory) {
        self.commits = CoreMetrics.Timer(label: "penguin_database_commit", factory: factory)
        self.batches = Recorder(label: "penguin_database_batch_writes", aggregate: true, factory: factory)
        self.refused = Counter(label: "penguin_database_refused_writes", factory: factory)
    }
}
