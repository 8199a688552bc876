/// What `# TYPE` says of a family; its series are all of one kind.
enum MetricKind: String {
    case counter
    case gauge
    case histogram
}

/// Which series it is.
struct SeriesID: Hashable {
    /// The name that is exposed, such as `penguin_jobs_total`.
    let family: String
    let labels: SeriesLabels
}

/// One line of a family, or one histogram: what is recorded on, and what is written at a scrape.
protocol MetricSeries: AnyObject, Sendable {
    var id: SeriesID { get }

    /// Writes the present values; may run while others record.
    func write(to text: inout ExpositionText)
}
