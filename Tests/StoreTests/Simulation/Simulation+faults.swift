import Domain

@testable import Store

/// What goes wrong.
extension Simulation {
    func misfortune() throws {
        switch self.random.below(20) {
        case 0, 1: try self.kill()
        case 2...6: try self.pause()
        case 7, 8: self.loseRedis()
        case 9, 10: self.redis.isUp.toggle()
        case 11, 12: self.spoilStreams()
        case 13: try self.cutPower()
        default: self.moveClock()
        }
    }

    private func kill() throws {
        guard let victim = self.random.pick(self.processes) else { return }
        self.note("\(victim.name) dies")
        self.processes.removeAll { $0 === victim }
        try self.replenish()
    }

    /// There are always two API servers and some workers.
    func replenish() throws {
        while self.processes.count(where: { $0.worker == nil }) < 2 { try self.addProcess(isWorker: false) }
        while self.processes.count(where: { $0.worker != nil }) < 3 { try self.addProcess(isWorker: true) }
    }

    /// A process stands still; what it had begun goes on when it is resumed, however late.
    private func pause() throws {
        let able = self.processes.filter { !$0.isPaused }
        let working = able.filter { !$0.runs.isEmpty }
        guard let process = self.random.pick(working.isEmpty || self.random.oneIn(4) ? able : working) else { return }
        self.note("\(process.name) stands still")
        process.isPaused = true
        guard self.random.below(4) > 0 else { return }
        // Long enough for its leases to run out, and for somebody to notice.
        self.clock.advance(by: Self.lease + .seconds(1))
        self.note("it is \(self.clock.now.milliseconds % 10_000_000)")
        for other in self.processes where !other.isPaused {
            if let worker = other.worker { self.beginBeat(worker, other) }
        }
        if self.random.below(3) > 0 { try self.takeOver() }
    }

    /// What most often follows a lost lease: another worker has the job before long.
    private func takeOver() throws {
        guard
            let other = self.random.pick(self.processes.filter { !$0.isPaused && $0.worker != nil && !$0.isDraining }),
            let worker = other.worker
        else { return }
        let begins = [self.beginReap, self.beginFill, { self.beginRead(worker, $0, isReclaim: false) }]
        for begin in begins where self.random.below(6) > 0 {
            begin(other)
            let index = other.operations.count - 1
            guard index >= 0 else { return }
            let number = other.operations[index].number
            while let index = other.operations.firstIndex(where: { $0.number == number }) {
                try self.advance(other, at: index)
            }
        }
    }

    func resume() {
        guard let process = self.random.pick(self.processes.filter(\.isPaused)) else { return }
        self.note("\(process.name) goes on")
        process.isPaused = false
        // It may notice that its leases are late before it does anything else.
        if self.random.oneIn(3) { for run in process.runs { run.isLeaseLost = true } }
        if self.random.oneIn(3) { process.isDraining = true }
    }

    private func loseRedis() {
        self.note("Redis loses everything")
        self.lostLogs.formUnion(self.redis.logs.keys)
        self.redis.loseEverything()
    }

    private func spoilStreams() {
        guard !self.redis.entries.isEmpty else { return }
        let index = self.random.below(self.redis.entries.count)
        let job = self.redis.entries[index].job
        if self.random.oneIn(3) {
            self.note("the entry of \(job) is lost")
            self.redis.loseEntry(at: index)
        } else {
            self.note("the entry of \(job) is doubled")
            try? self.redis.add(job)
        }
    }

    /// Every process dies, and with them what was committed and not synced.
    private func cutPower() throws {
        self.note("the power is cut")
        try self.connection.execute("ROLLBACK TO synced", [])
        self.watch.rebase(try self.readRows())
        let steps = try self.connection.rows("SELECT job_id || '/' || step FROM steps WHERE state <> 'intent'", []) {
            $0.text(0) ?? ""
        }
        self.finishedSteps = Set(steps)
        self.processes = []
        if self.random.oneIn(2) { self.loseRedis() }
        try self.replenish()
    }

    func expireLogs() {
        let before = self.redis.logs.keys
        self.redis.expireLogs(at: self.clock.now)
        for job in before where self.redis.logs[job] == nil { self.lostLogs.insert(job) }
    }

    private func moveClock() {
        switch self.random.below(10) {
        case 0: self.clock.advance(by: .milliseconds(-self.random.below(3000)))
        case 1: self.clock.advance(by: .seconds(self.random.below(40)))
        case 2: self.clock.advance(by: .seconds(self.random.below(90)))
        default: self.clock.advance(by: .milliseconds(self.random.below(6000)))
        }
        self.expireLogs()
        self.note("it is \(self.clock.now.milliseconds % 10_000_000)")
    }
}
