import Domain
import Foundation

/// Everything that one call of the program found out.
struct Report: Sendable {
    /// What one scenario came to.
    struct Part: Sendable {
        let name: String
        let figures: [Figure]
        /// Why it ended early.
        let failure: String?
    }

    let bench: String
    let effort: Effort
    let begun: Date
    /// How long all of it took.
    let seconds: Double
    let parts: [Part]

    var figures: [Figure] { self.parts.flatMap(\.figures) }

    /// What was wrong, in sentences; a missed target is not among it.
    var faults: [String] {
        self.parts.flatMap { part in
            part.figures.flatMap { figure in figure.faultSummary.map { "\(figure.name): \($0)" } }
                + (part.failure.map { ["\(part.name): \($0)"] } ?? [])
        }
    }

    /// Writes the document to the file and the table to standard output; with `-` the document to standard output and
    /// the table to standard error.
    func publish(json place: String) throws {
        let table = ReportTable(self).text
        let document = try self.document()
        if place == "-" {
            try FileHandle.standardError.write(contentsOf: Data(table.utf8))
            try FileHandle.standardOutput.write(contentsOf: document + Data("\n".utf8))
            return
        }
        let file = URL(fileURLWithPath: place)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try (document + Data("\n".utf8)).write(to: file)
        try FileHandle.standardOutput.write(contentsOf: Data((table + "All figures as JSON: \(place)\n").utf8))
    }

    /// One JSON object: `bench`, `version`, `build`, `begun`, `seconds`, `quick`, `runs`, `cores`, `kernel`, `ok`,
    /// `figures`, `faults`.
    private func document() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return try encoder.encode(
            Document(
                bench: self.bench,
                version: PenguinVersion.current,
                build: Self.build,
                begun: Timestamp(milliseconds: Int64(self.begun.timeIntervalSince1970 * 1000)),
                seconds: self.seconds,
                quick: self.effort.isQuick,
                runs: self.effort.runs,
                cores: ProcessInfo.processInfo.activeProcessorCount,
                kernel: Self.kernel,
                ok: self.faults.isEmpty,
                figures: self.figures,
                faults: self.faults
            )
        )
    }

    private struct Document: Encodable {
        let bench: String
        let version: String
        let build: String
        let begun: Timestamp
        let seconds: Double
        let quick: Bool
        let runs: Int
        let cores: Int
        let kernel: String
        let ok: Bool
        let figures: [Figure]
        let faults: [String]
    }

    /// Figures of a debug build say nothing about the targets.
    static var build: String {
        #if DEBUG
            "debug"
        #else
            "release"
        #endif
    }

    private static var kernel: String {
        // Without it only the line about the machine is shorter.
        let text = try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
    }
}
