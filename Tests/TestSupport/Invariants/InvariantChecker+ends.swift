import Domain

extension InvariantChecker {
    /// G2: one terminal state, one terminal event, last, and the same for all who look.
    mutating func checkEnds() {
        for job in self.record.jobs where job.hasEnded {
            self.checkRow(job)
            if let log = self.record.logs[job.id] { self.checkLog(log, of: job) }
            self.checkEndsSeen(of: job)
        }
    }

    private mutating func checkRow(_ job: ObservedJob) {
        let isFailure = job.state == "failed" || job.state == "dead"
        self.report.check(
            .oneEnd,
            (job.result != nil) == (job.state == "completed") && (job.failure != nil) == isFailure,
            "\(job.id) is \(job.state), with \(job.result == nil ? "no" : "a") result and \(job.failure == nil ? "no" : "a") failure"
        )
        self.report.check(.oneEnd, job.isAnnounced, "\(job.id) is \(job.state), and its end was never announced")
        if job.state == "dead" {
            self.report.check(
                .oneEnd,
                job.lost > self.record.lostMax || job.failure?["code"]?.string?.hasPrefix("provider_") == true,
                "\(job.id) is dead, having lost \(job.lost) workers"
            )
        }
    }

    private mutating func checkLog(_ log: [ObservedEvent], of job: ObservedJob) {
        let ends = log.filter { $0.type?.isTerminal ?? false }
        let tail = log.suffix(4).map { "\($0.type?.rawValue ?? "?") \($0.id)" }.joined(separator: ", ")
        self.report.check(
            .oneEnd,
            ends.count == 1,
            "\(job.id) is \(job.state), its log has \(ends.count) ends: …\(tail)"
        )
        guard let last = log.last, let end = ends.last else { return }
        self.report.check(.oneEnd, last == end, "\(job.id): its log goes on after the end: …\(tail)")
        self.report.check(
            .oneEnd,
            end.type == job.terminalEvent,
            "\(job.id) is \(job.state), its log ends with \(end.type?.rawValue ?? "?")"
        )
        if end.type == .complete {
            self.report.check(
                .oneEnd,
                end.data == job.result,
                "\(job.id): complete in the log is not the ledger's result"
            )
        }
    }

    private mutating func checkEndsSeen(of job: ObservedJob) {
        for follower in self.followers[job.id] ?? [] {
            guard let terminal = follower.transcript.terminal else { continue }
            self.report.check(
                .oneEnd,
                terminal.event == job.terminalEvent,
                "\(job.id) is \(job.state), and \(follower.name) saw \(terminal.event.rawValue)"
            )
            guard terminal.event == .complete else { continue }
            self.report.check(
                .oneEnd,
                terminal.data == job.result,
                "\(job.id): complete as \(follower.name) saw it is not the ledger's result"
            )
        }
    }
}
