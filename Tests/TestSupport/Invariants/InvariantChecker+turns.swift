import Domain

extension InvariantChecker {
    /// G7: a finished model turn is journaled once, and the provider is not asked for it again.
    mutating func checkTurns() {
        for job in self.record.jobs where job.hasEnded {
            let turns = (self.steps[job.id] ?? []).filter { $0.kind == "model_turn" }
            self.report.check(
                .notAgain,
                Set(turns.map(\.index)).count == turns.count,
                "\(job.id) has a step twice"
            )
            if job.state == "completed" {
                let done = turns.filter { $0.state == "done" }.count
                self.report.check(.notAgain, done == 1, "\(job.id) completed with \(done) finished turns")
            }
            self.checkAsked(job, turns)
        }
    }

    private mutating func checkAsked(_ job: ObservedJob, _ turns: [ObservedStep]) {
        let tally = self.record.tallies[job.text] ?? FakeProviderTally()
        self.report.check(
            .notAgain,
            job.claims > 0 || tally.requests == 0,
            "\(job.id) was never claimed, and the provider was asked"
        )
        // An answer that is cut on its way is asked for again.
        guard let message = self.accepted[job.id], !self.wasTouched(job, by: .provider) else { return }
        self.report.check(
            .notAgain,
            tally.answers <= job.claims && tally.requests <= job.claims * (1 + message.failures),
            "\(job.id), claimed \(job.claims) times, was asked \(tally.requests) times and answered \(tally.answers) times"
        )
        // With two claims, an older epoch than the last is the first one's.
        guard job.state == "completed", job.claims == 2, let turn = turns.last, turn.epoch < job.epoch else { return }
        self.report.check(
            .notAgain,
            tally.answers == 1,
            "\(job.id): its turn was journaled by its first attempt, and answered \(tally.answers) times"
        )
    }

    /// G9: only a lost lease costs an attempt, and leases are lost only with their workers.
    mutating func checkAttempts() {
        for job in self.record.jobs where job.hasEnded {
            self.report.check(
                .restartFree,
                job.attempt <= 1 + job.lost,
                "\(job.id): attempt \(job.attempt) after \(job.lost) lost leases and \(job.claims) claims"
            )
            guard !self.wasTouched(job, by: .worker) else { continue }
            self.report.check(
                .restartFree,
                job.lost == 0,
                "\(job.id) lost \(job.lost) leases while no worker was killed or asleep"
            )
        }
    }
}
