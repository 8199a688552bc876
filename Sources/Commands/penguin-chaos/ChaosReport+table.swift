import Foundation
import TestSupport

extension ChaosReport {
    /// For people: a line per guarantee, what was done and made good, and an example of every violation that was kept.
    var table: String {
        var lines = ["     checks  violations  allowed  guarantee"]
        for result in self.results {
            let name = result.guarantee.rawValue.padding(toLength: 3, withPad: " ", startingAt: 0)
            let mark = result.violations > 0 ? "  BROKEN" : ""
            lines.append(
                String(format: "%@ %8d  %10d  %7d  ", name, result.checks, result.violations, result.allowances)
                    + result.guarantee.title + mark
            )
        }
        lines.append("jobs: " + Self.list(self.jobs))
        lines.append("faults: " + Self.list(self.faults))
        lines.append("recoveries: " + Self.list(self.recoveries))
        lines.append("not accepted: " + Self.list(self.refusals))
        lines.append("seed \(self.shape.seed), plan \(self.plan), \(self.seconds) s")
        lines += self.surprises.map { "SURPRISE \($0)" }
        for result in self.results {
            lines += result.allowed.map { "\(result.guarantee.rawValue) allowed \($0)" }
            lines += result.examples.map { "\(result.guarantee.rawValue) BROKEN \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func list(_ counts: [String: Int]) -> String {
        counts.isEmpty
            ? "none" : counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }
}
