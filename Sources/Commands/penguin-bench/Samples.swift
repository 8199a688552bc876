/// Measured values, for their median and percentiles.
struct Samples: Sendable {
    private let sorted: [Double]

    init(_ values: [Double]) {
        self.sorted = values.sorted()
    }

    var count: Int { self.sorted.count }

    /// The middle value, or the mean of the two in the middle; 0 of none.
    var median: Double {
        guard !self.sorted.isEmpty else { return 0 }
        let middle = self.sorted.count / 2
        return self.sorted.count % 2 == 1 ? self.sorted[middle] : (self.sorted[middle - 1] + self.sorted[middle]) / 2
    }

    /// The smallest value that `percent` of the values do not exceed; 0 of none.
    func percentile(_ percent: Double) -> Double {
        guard !self.sorted.isEmpty else { return 0 }
        let rank = Int((percent / 100 * Double(self.sorted.count)).rounded(.up))
        return self.sorted[min(max(rank, 1), self.sorted.count) - 1]
    }
}
