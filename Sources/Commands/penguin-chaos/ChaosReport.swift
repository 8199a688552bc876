import Domain
import Foundation
import TestSupport

/// What a run came to; also the JSON document.
struct ChaosReport: Sendable, Encodable {
    let shape: ChaosShape
    let plan: String
    let seconds: Int
    /// Jobs by state.
    let jobs: [String: Int]
    /// Faults by kind.
    let faults: [String: Int]
    /// What was made good, in numbers.
    let recoveries: [String: Int]
    /// Why messages were not accepted when they were sent, by answer.
    let refusals: [String: Int]
    /// Processes that ended or stayed without being told to.
    let surprises: [String]
    let results: [GuaranteeResult]

    init(plan: ChaosPlan, record: RunRecord, refusals: [String: Int], surprises: [String], seconds: Int) {
        self.shape = plan.shape
        self.plan = plan.fingerprint
        self.seconds = seconds
        self.jobs = Self.counts(record.jobs.map(\.state))
        self.faults = Self.counts(record.faults.map(\.name))
        self.refusals = refusals
        self.surprises = surprises
        let transcripts = record.followers.map(\.transcript)
        self.recoveries = [
            "messages without an answer": record.unconfirmed.count,
            "leases lost": record.jobs.reduce(0) { $0 + $1.lost },
            "jobs claimed again": record.jobs.count { $0.claims > 1 },
            "jobs given back by a shutdown": record.jobs.count { $0.claims > $0.attempt },
            "followers": record.followers.count,
            "reconnects": record.followers.reduce(0) { $0 + max(0, $1.connections - 1) },
            "truncates seen": transcripts.reduce(0) { $0 + $1.count(of: .truncate) },
            "snapshots seen": transcripts.reduce(0) { $0 + $1.count(of: .snapshot) },
            "cancels answered": record.cancels.count,
            "logs read": record.logs.count,
            "conversations read": record.conversations.count,
            "largest web process, MiB": (record.memory.map(\.residentBytes).max() ?? 0) >> 20,
        ]
        self.results = InvariantChecker.check(record).results
    }

    var violations: Int { self.results.reduce(0) { $0 + $1.violations } }

    /// One JSON object.
    func document() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return try encoder.encode(self) + Data("\n".utf8)
    }

    private static func counts(_ names: [String]) -> [String: Int] {
        Dictionary(grouping: names) { $0 }.mapValues(\.count)
    }
}
