/// The labels of a series, as they are written between the braces: `code="200",path="/"`.
///
/// Sorted by name. A label without a value is left out, as it is the same to Prometheus; of two that get the same name
/// the first is kept; a value is cut after `valueBytesMax`.
struct SeriesLabels: Hashable {
    /// So that a client that gets its own text into a label cannot make scrapes large.
    static let valueBytesMax = 256

    /// Of the series that stands for all that came too late.
    static let overflow = SeriesLabels([("overflow", "true")])

    /// Escaped and in order; empty when there is none.
    let text: String

    init(_ dimensions: [(String, String)]) {
        var values: [String: String] = [:]
        for (name, value) in dimensions where !value.isEmpty {
            let name = PrometheusName.label(name)
            if values[name] == nil { values[name] = Self.shortened(value) }
        }
        self.text =
            values
            .sorted { $0.key < $1.key }
            .map { name, value in "\(name)=\"\(ExpositionText.escaped(value, quotes: true))\"" }
            .joined(separator: ",")
    }

    init(_ labels: [String: String]) {
        self.init(labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }

    private static func shortened(_ value: String) -> String {
        guard value.utf8.count > self.valueBytesMax else { return value }
        // Where this cuts a character in two, decoding puts the replacement character.
        return String(decoding: value.utf8.prefix(self.valueBytesMax), as: UTF8.self)
    }
}
