import Domain

extension InvariantChecker {
    /// G1 and G5: every accepted message is a job that has ended, and none was made up or taken twice.
    mutating func checkAcceptance() {
        for message in self.record.accepted {
            let problem = self.problem(of: message)
            self.report.check(.accepted, problem == nil, "\(message.job): \(problem ?? "")")
            // Of a message that is gone nobody knows when it was lost.
            let end = self.jobs[message.job]?.finishedAt ?? Timestamp(milliseconds: .max / 2)
            guard self.faults(.redis, from: message.acceptedAt, to: end) else { continue }
            self.report.check(.redisLoss, problem == nil, "\(message.job): \(problem ?? "")")
        }
        let known = Set(self.record.accepted.map(\.text)).union(self.record.unconfirmed)
        var seen: [String: JobID] = [:]
        for job in self.record.jobs {
            self.report.check(.accepted, known.contains(job.text), "\(job.id): nobody sent '\(job.text.prefix(80))'")
            let twin = seen.updateValue(job.id, forKey: job.text)
            self.report.check(
                .accepted,
                twin == nil,
                "'\(job.text.prefix(80))' was sent once and is \(job.id) and \(twin ?? job.id)"
            )
        }
        self.checkAnswers()
    }

    private func problem(of message: AcceptedMessage) -> String? {
        guard let job = self.jobs[message.job] else { return "accepted, and not in the ledger" }
        if job.conversation != message.conversation { return "is in \(job.conversation), not \(message.conversation)" }
        if job.text != message.text { return "has the text '\(job.text.prefix(80))'" }
        if !job.hasEnded { return "is \(job.state) for ever (attempt \(job.attempt), lost \(job.lost))" }
        if job.finishedAt == nil { return "has ended as \(job.state) at no time" }
        return nil
    }

    /// What is answered is what the model said, whole.
    private mutating func checkAnswers() {
        for message in self.record.accepted {
            guard let job = self.jobs[message.job], job.state == "completed" else { continue }
            let isWhole = job.response == message.answer
            let guarantee = self.wasTouched(job, by: .redis) ? Guarantee.redisLoss : .sameText
            self.report.check(
                guarantee,
                isWhole,
                "\(job.id): the answer is '\((job.response ?? "none").suffix(60))' in place of '\(message.answer.suffix(60))'"
            )
        }
    }
}
