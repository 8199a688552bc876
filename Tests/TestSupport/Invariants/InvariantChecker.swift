import Domain

/// Holds what a run left behind against what was promised, guarantee by guarantee.
///
/// A pure value: the same record gives the same report.
package struct InvariantChecker {
    let record: RunRecord
    let jobs: [JobID: ObservedJob]
    let accepted: [JobID: AcceptedMessage]
    let steps: [JobID: [ObservedStep]]
    let followers: [JobID: [ObservedFollower]]
    var report = InvariantReport()

    /// Checks everything.
    package static func check(_ record: RunRecord) -> InvariantReport {
        var checker = InvariantChecker(record)
        checker.checkAcceptance()
        checker.checkEnds()
        checker.checkConversations()
        checker.checkEpochs()
        checker.checkFollowers()
        checker.checkTurns()
        checker.checkCancels()
        checker.checkAttempts()
        checker.checkMemory()
        return checker.report
    }

    private init(_ record: RunRecord) {
        self.record = record
        self.jobs = Dictionary(record.jobs.map { ($0.id, $0) }) { first, _ in first }
        self.accepted = Dictionary(record.accepted.map { ($0.job, $0) }) { first, _ in first }
        self.steps = Dictionary(grouping: record.steps, by: \.job)
        self.followers = Dictionary(grouping: record.followers, by: \.transcript.jobID)
    }

    /// Whether a fault of that effect fell into the life of a job.
    func wasTouched(_ job: ObservedJob, by effect: FaultWindow.Effect) -> Bool {
        self.faults(effect, from: job.createdAt, to: job.finishedAt ?? job.createdAt)
    }

    /// Whether a fault of that effect fell into a time.
    func faults(_ effect: FaultWindow.Effect, from begin: Timestamp, to end: Timestamp) -> Bool {
        self.record.faults.contains { fault in
            fault.effects.contains(effect)
                && fault.touches(from: begin, to: end, aftermath: self.record.aftermathMilliseconds)
        }
    }

    private mutating func checkMemory() {
        for sample in self.record.memory {
            self.report.check(
                .bounded,
                sample.residentBytes <= self.record.residentBytesMax,
                "\(sample.process) has \(sample.residentBytes >> 20) MiB in use"
            )
        }
    }
}
