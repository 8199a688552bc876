import Domain

extension InvariantChecker {
    /// G4: nothing of an older lease after a newer one's, in any log, any follower's view or the ledger.
    mutating func checkEpochs() {
        for (id, log) in self.record.logs {
            for (first, second) in zip(log, log.dropFirst()) where second.id <= first.id {
                self.report.check(.fenced, false, "\(id): \(second.id) after \(first.id) in the log")
            }
            guard let job = self.jobs[id], let last = log.last else { continue }
            self.report.check(
                .fenced,
                last.id.epoch <= job.epoch,
                "\(id): the log ends at \(last.id), the ledger knows epoch \(job.epoch)"
            )
            guard job.hasEnded, last.type?.isTerminal ?? false else { continue }
            self.report.check(
                .fenced,
                last.id.epoch == job.epoch,
                "\(id) ended under epoch \(job.epoch), its end was written by \(last.id)"
            )
        }
        for follower in self.record.followers {
            let transcript = follower.transcript
            self.report.check(
                .fenced,
                transcript.faults.isEmpty,
                "\(transcript.jobID): \(follower.name) saw \(transcript.faults.prefix(2).joined(separator: "; "))"
            )
        }
        for step in self.record.steps {
            guard let job = self.jobs[step.job] else { continue }
            self.report.check(
                .fenced,
                step.epoch <= job.epoch,
                "\(job.id): step \(step.index) was written by epoch \(step.epoch), the job ended at \(job.epoch)"
            )
        }
    }
}
