/// A value that a source gave for one scrape.
final class SampleSeries: MetricSeries {
    let id: SeriesID
    private let value: Double

    init(_ id: SeriesID, value: Double) {
        self.id = id
        self.value = value
    }

    func write(to text: inout ExpositionText) {
        text.addLine(self.id.family, self.id.labels, ExpositionText.number(self.value))
    }
}
