/// Makes names that Prometheus takes out of any text.
///
/// Source: Prometheus, "Data model": metric names and labels.
enum PrometheusName {
    /// What Prometheus itself uses in histograms and summaries.
    private static let reservedLabels: Set<String> = ["le", "quantile"]

    /// A metric's name, with `suffix` added unless it ends so.
    ///
    /// What is no ASCII letter, digit or underscore becomes an underscore; so does `:`, which is for recording rules.
    static func metric(_ label: String, suffix: String = "") -> String {
        let name = self.sanitized(label)
        return name.hasSuffix(suffix) ? name : name + suffix
    }

    /// A label's name: like a metric's, and none that Prometheus keeps for itself.
    ///
    /// `__…` becomes `_…`, and `le` and `quantile` become `exported_le` and `exported_quantile`.
    static func label(_ name: String) -> String {
        let name = self.sanitized(name)
        if self.reservedLabels.contains(name) { return "exported_" + name }
        return name.hasPrefix("__") ? "_" + name.drop { $0 == "_" } : name
    }

    /// True for what `metric` leaves as it is.
    static func isMetric(_ name: String) -> Bool {
        self.metric(name) == name
    }

    private static func sanitized(_ text: String) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_":
                name.unicodeScalars.append(scalar)
            case "0"..."9":
                if name.isEmpty { name = "_" }
                name.unicodeScalars.append(scalar)
            default:
                name += "_"
            }
        }
        return name.isEmpty ? "_" : name
    }
}
