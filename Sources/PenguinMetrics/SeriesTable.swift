/// The series of a registry by family and labels: who is there, and who may still come.
///
/// A value: a scrape takes a copy, adds its samples to it, and writes it down without a lock.
struct SeriesTable {
    /// The series of one name.
    private struct Family {
        let kind: MetricKind
        /// Of every histogram of the family, whatever is described later.
        let buckets: [Double]
        var series: [SeriesLabels: any MetricSeries] = [:]
    }

    /// Where a new handler records.
    enum Place<Series: Sendable>: Sendable {
        case own(Series)
        /// The one that the family's latecomers share.
        case overflow(Series)
        case none
    }

    /// What a histogram's lines are called after its name.
    private static let histogramSuffixes = ["_bucket", "_count", "_sum"]

    private var families: [String: Family] = [:]
    private var descriptions: [String: MetricDescription] = [:]
    /// Without the overflow series, of which a family has at most one.
    private var seriesCount = 0
    private var seriesMax: Int

    init(seriesMax: Int) {
        self.seriesMax = seriesMax
    }

    mutating func describe(_ name: String, _ description: MetricDescription) {
        let buckets = description.buckets ?? []
        precondition(PrometheusName.isMetric(name), "not a metric's name: \(name)")
        precondition(
            buckets.allSatisfy(\.isFinite) && zip(buckets, buckets.dropFirst()).allSatisfy(<),
            "the buckets of \(name) are not finite and increasing: \(buckets)"
        )
        self.descriptions[name] = description
    }

    /// Lets in so many more than there are now.
    mutating func makeRoom(for more: Int) {
        self.seriesMax = self.seriesCount + more
    }

    /// Finds the series, or makes it if there is room.
    mutating func place<Series: MetricSeries>(
        _ id: SeriesID,
        kind: MetricKind,
        make: (SeriesID, [Double]) -> Series
    ) -> Place<Series> {
        guard self.mayBe(id.family, kind) else { return .none }
        if let known = self.families[id.family]?.series[id.labels] {
            return (known as? Series).map(Place.own) ?? .none
        }
        if self.seriesCount < self.seriesMax {
            let series = make(id, self.buckets(of: id.family))
            self.insert(series, kind: kind)
            return .own(series)
        }
        guard kind != .gauge, self.families[id.family] != nil else { return .none }
        return self.overflow(SeriesID(family: id.family, labels: .overflow), make: make)
    }

    /// False when there is no room, or the name or the labels are taken.
    mutating func add(_ sample: MetricSample) -> Bool {
        let isCounter = sample.kind == .counter
        let kind = isCounter ? MetricKind.counter : .gauge
        let name = PrometheusName.metric(sample.name, suffix: isCounter ? "_total" : "")
        let id = SeriesID(family: name, labels: SeriesLabels(sample.labels))
        guard self.seriesCount < self.seriesMax, self.mayBe(name, kind) else { return false }
        guard self.families[name]?.series[id.labels] == nil else { return false }
        if self.descriptions[name] == nil { self.descriptions[name] = MetricDescription(help: sample.help) }
        self.insert(SampleSeries(id, value: sample.value), kind: kind)
        return true
    }

    /// Puts a series in, whether there is room or not.
    mutating func insert(_ series: any MetricSeries, kind: MetricKind) {
        let name = series.id.family
        let family = Family(kind: kind, buckets: self.buckets(of: name))
        self.families[name, default: family].series[series.id.labels] = series
        self.seriesCount += 1
    }

    /// Takes a series out; an overflow series stays, and so does one that is there in place of an older one.
    mutating func remove(_ series: any MetricSeries) {
        let (name, labels) = (series.id.family, series.id.labels)
        guard labels != .overflow, self.families[name]?.series[labels] === series else { return }
        self.families[name]?.series[labels] = nil
        self.seriesCount -= 1
        if self.families[name]?.series.isEmpty == true { self.families[name] = nil }
    }

    /// Families by name, series by labels.
    func exposition() -> String {
        var text = ExpositionText()
        for (name, family) in self.families.sorted(by: { $0.key < $1.key }) {
            text.beginFamily(name, kind: family.kind, help: self.help(of: name))
            for series in family.series.values.sorted(by: { $0.id.labels.text < $1.id.labels.text }) {
                series.write(to: &text)
            }
        }
        return text.text
    }

    private mutating func overflow<Series: MetricSeries>(
        _ id: SeriesID,
        make: (SeriesID, [Double]) -> Series
    ) -> Place<Series> {
        if let known = self.families[id.family]?.series[id.labels] {
            return (known as? Series).map(Place.overflow) ?? .none
        }
        let series = make(id, self.buckets(of: id.family))
        self.families[id.family]?.series[id.labels] = series
        return .overflow(series)
    }

    /// False when the name stands for something of another kind, or for the lines of a histogram.
    private func mayBe(_ name: String, _ kind: MetricKind) -> Bool {
        if let family = self.families[name] { return family.kind == kind }
        let isLine = Self.histogramSuffixes.contains { suffix in
            name.hasSuffix(suffix) && self.families[String(name.dropLast(suffix.count))]?.kind == .histogram
        }
        let hidesLines = kind == .histogram && Self.histogramSuffixes.contains { self.families[name + $0] != nil }
        return !isLine && !hidesLines
    }

    private func buckets(of name: String) -> [Double] {
        self.families[name]?.buckets ?? self.descriptions[name]?.buckets ?? MetricsRegistry.defaultBuckets
    }

    private func help(of name: String) -> String {
        let help = self.descriptions[name]?.help ?? ""
        return help.isEmpty ? "Nobody has described \(name)." : help
    }
}
