/// What was said ahead about a metric.
struct MetricDescription {
    /// Empty means that nobody said anything.
    var help: String
    /// The inclusive upper bounds of a histogram, increasing and finite; nil means the default ones.
    var buckets: [Double]?
}
