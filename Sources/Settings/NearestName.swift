/// The known key that somebody who wrote an unknown one most likely meant.
enum NearestName {
    /// The closest dotted name, or nil when nothing is close: a third of the letters may differ, three at most.
    ///
    /// A right name in a wrong section is found too, after a nearly right one in the same section.
    static func of(_ path: [String]) -> String? {
        let id = path.count == 3 ? path[1] : nil
        let scored = self.candidates(id: id).compactMap { candidate in
            self.score(path, candidate).map { (score: $0, name: candidate.joined(separator: ".")) }
        }
        return scored.min { $0.score < $1.score }?.name
    }

    private static func candidates(id: String?) -> [[String]] {
        Settings.sections.map { [$0.name] } + SettingKey.all.map { $0.path(id: id) }
    }

    private static func score(_ path: [String], _ candidate: [String]) -> Int? {
        guard let leaf = path.last, let other = candidate.last, leaf.utf8.count <= other.utf8.count + 3 else {
            return nil
        }
        let distance = self.distance(Array(leaf.lowercased().utf8), Array(other.utf8))
        guard distance <= min(3, max(1, other.count / 3)) else { return nil }
        return 2 * distance + (path.dropLast() == candidate.dropLast() ? 0 : 3)
    }

    /// How many letters to insert, delete or replace, or neighbours to swap ("optimal string alignment").
    static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var rows = [Array(0...second.count)]
        for (index, letter) in first.enumerated() {
            var row = [index + 1]
            for (column, other) in second.enumerated() {
                var best = min(rows[index][column + 1], row[column]) + 1
                best = min(best, rows[index][column] + (letter == other ? 0 : 1))
                if index > 0, column > 0, letter == second[column - 1], other == first[index - 1] {
                    best = min(best, rows[index - 1][column - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[first.count][second.count]
    }
}
