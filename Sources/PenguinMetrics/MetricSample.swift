/// One figure that is read when somebody scrapes, such as the number of queued jobs.
package struct MetricSample: Sendable, Equatable {
    package enum Kind: Sendable {
        /// Goes up and down.
        case gauge
        /// Only grows, until what counts it is started anew. The name gets `_total`, unless it ends so.
        case counter
    }

    /// In base units: `_seconds`, `_bytes`.
    package var name: String
    package var kind: Kind
    /// What the metric means, the same for all samples of a name; `MetricsRegistry.describe` goes before it.
    package var help: String
    /// Together with the name unique within a scrape; of two samples the first is exposed.
    package var labels: [String: String]
    package var value: Double

    package init(
        _ name: String,
        _ kind: Kind = .gauge,
        help: String = "",
        labels: [String: String] = [:],
        value: Double
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.value = value
    }
}
