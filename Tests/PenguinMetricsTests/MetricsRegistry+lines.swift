import PenguinMetrics

extension MetricsRegistry {
    /// The exposed lines of one family, without its comments.
    func lines(of family: String) async -> [String] {
        await self.exposition().split(separator: "\n").map(String.init).filter { line in
            line.hasPrefix(family + " ") || line.hasPrefix(family + "{") || line.hasPrefix(family + "_")
        }
    }
}
