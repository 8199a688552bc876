import Domain

extension InvariantChecker {
    /// G8: an ended job in the answer to a cancel is final; one that was asked to end does so in time.
    mutating func checkCancels() {
        for cancel in self.record.cancels {
            guard let job = self.jobs[cancel.job], job.hasEnded else { continue }
            if cancel.status == 200 {
                self.checkFinal(cancel, job)
            } else if let end = job.finishedAt {
                let took = end.milliseconds - cancel.answeredAt.milliseconds
                self.report.check(
                    .cancelFinal,
                    took <= self.record.cancelMillisecondsMax,
                    "\(job.id) went on for \(took) ms after its cancel"
                )
            }
        }
    }

    private mutating func checkFinal(_ cancel: AnsweredCancel, _ job: ObservedJob) {
        self.report.check(
            .cancelFinal,
            cancel.state == job.state,
            "\(job.id) was \(cancel.state) in the answer to a cancel, and is \(job.state)"
        )
        self.report.check(
            .cancelFinal,
            (job.finishedAt?.milliseconds ?? .max) <= cancel.answeredAt.milliseconds,
            "\(job.id) ended after the answer that said so"
        )
        guard job.state == "cancelled" else { return }
        if let last = self.record.logs[job.id]?.last {
            self.report.check(.cancelFinal, last.type == .cancelled, "\(job.id): after its cancel came \(last.id)")
        }
        for follower in self.followers[job.id] ?? [] {
            self.report.check(
                .cancelFinal,
                follower.transcript.events.last == .cancelled,
                "\(job.id): \(follower.name) saw \(follower.transcript.events.last?.rawValue ?? "nothing") last"
            )
        }
    }
}
