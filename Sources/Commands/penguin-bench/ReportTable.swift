import Foundation

/// The report for people: a line per figure, its ceiling and target beside it, and what was wrong below.
struct ReportTable {
    private static let headings = [
        "figure", "value", "unit", "ceiling", "of what", "ratio", "target", "", "CPU s: web redis provider client",
    ]
    /// Columns that are aligned to the right.
    private static let numbers: Set<Int> = [1, 3, 5]

    let text: String

    init(_ report: Report) {
        let rows = [Self.headings] + report.figures.map(Self.row)
        var lines = Self.aligned(rows)
        if report.effort.isQuick { lines.append("A quick run: the values waver more than those of a full one.") }
        if Report.build == "debug" { lines.append("A debug build: its values say nothing about the targets.") }
        lines.append(String(format: "%.0f s in all.", report.seconds))
        lines += report.faults.map { "WRONG " + $0 }
        self.text = lines.joined(separator: "\n") + "\n"
    }

    private static func row(_ figure: Figure) -> [String] {
        let ceiling = figure.ceilings.first
        let cpu = ProcessMeter.order.map { figure.cpuSeconds[$0].map { String(format: "%.2f", $0) } ?? "-" }
        return [
            figure.title, self.number(figure.value), figure.unit, ceiling.map { self.number($0.value) } ?? "",
            ceiling?.what ?? "", figure.ratio.map { String(format: "%.2f", $0) } ?? "", self.target(figure.target),
            self.verdict(figure), figure.cpuSeconds.isEmpty ? "" : cpu.joined(separator: " "),
        ]
    }

    private static func verdict(_ figure: Figure) -> String {
        if !figure.faults.isEmpty { return "WRONG" }
        return figure.isKept.map { $0 ? "ok" : "MISS" } ?? ""
    }

    private static func target(_ target: Figure.Target?) -> String {
        switch target {
        case .atLeast(let bound): "≥ " + self.number(bound)
        case .atMost(let bound): "≤ " + self.number(bound)
        case nil: ""
        }
    }

    /// Three or more digits that count: `20,431`, `153`, `7.41`, `0.052`.
    private static func number(_ value: Double) -> String {
        switch abs(value) {
        case 1000...: value.formatted(.number.precision(.fractionLength(0)).locale(Locale(identifier: "en_US")))
        case 100...: String(format: "%.0f", value)
        case 10...: String(format: "%.1f", value)
        case 1...: String(format: "%.2f", value)
        default: String(format: "%.3f", value)
        }
    }

    private static func aligned(_ rows: [[String]]) -> [String] {
        let widths = self.headings.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return self.numbers.contains(column) ? padding + cell : cell + padding
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
