import Domain
import Store

@testable import Store

/// After the storm: all faults stop, and everything must come to its end.
extension Simulation {
    private static let roundsMax = 400

    func comeToRest() throws {
        self.note("the storm is over")
        self.isStormy = false
        self.redis.isUp = true
        for process in self.processes { process.isPaused = false }
        try self.replenish()
        for _ in 0..<Self.roundsMax {
            try self.finishOperations()
            if self.watch.rows.values.allSatisfy({ $0.state.isTerminal && $0.isAnnounced }) { return }
            try self.round()
        }
        let open = self.watch.rows.filter { !($0.value.state.isTerminal && $0.value.isAnnounced) }
        throw Violation("these never come to rest: \(open.sorted { $0.key < $1.key })")
    }

    private func finishOperations() throws {
        for _ in 0..<10_000 {
            guard let process = self.processes.first(where: { !$0.operations.isEmpty }) else { return }
            try self.advance(process, at: 0)
        }
        throw Violation("operations go on and on: \(self.processes.flatMap(\.operations).map(\.name))")
    }

    /// What timers do in a few seconds; those that could find nothing are spared.
    private func round() throws {
        self.clock.advance(by: .seconds(2))
        self.expireLogs()
        if try self.ledger.isPaused() { try self.write(.durable) { try $0.setPaused(false) } }
        try self.replenish()
        guard let one = self.processes.first(where: { $0.worker == nil }) else { return }
        let rows = self.watch.rows.values
        let states = Set(rows.map(\.state))
        self.roundCount += 1
        if self.roundCount % 4 == 1 {
            for process in self.processes { process.worker.map { self.beginBeat($0, process) } }
        }
        try self.finishOperations()
        let timers: [(isDue: Bool, begin: (SimulatedProcess) -> Void)] = [
            (states.contains(.scheduled), self.beginPromote),
            (states.contains(.running), self.beginReap),
            (states.contains(.running), self.beginShutOut),
            (rows.contains { $0.isCancelRequested && $0.isOpen }, self.beginStrayCancels),
            (states.contains(.waiting), self.beginFailParents),
            (states.contains(.waiting), self.beginJanitor),
            (rows.contains { $0.state.isTerminal && !$0.isAnnounced }, self.beginAnnouncing),
            (true, self.beginFill),
            (states.contains(.dispatched), self.beginRedispatch),
        ]
        let strays = self.watch.rows.filter { $0.value.isStrayCancel }.keys
        for timer in timers where timer.isDue {
            timer.begin(one)
            try self.finishOperations()
        }
        guard strays.isEmpty || strays.contains(where: { self.watch.rows[$0]?.isStrayCancel != true }) else {
            throw Violation("\(Array(strays)) were cancelled, do not run, and nobody ends them")
        }
        for process in self.processes {
            guard let worker = process.worker else { continue }
            self.beginRead(worker, process, isReclaim: false)
            self.beginRead(worker, process, isReclaim: true)
        }
    }

    // MARK: Judgement

    func judge() throws {
        for id in self.accepted where self.watch.rows[id] == nil && !self.gone.contains(id) {
            throw Violation("\(id) was accepted, and is not there")
        }
        for (id, log) in self.redis.logs {
            guard let row = self.watch.rows[id], self.livesOfLogs[id] == row.redrives else { continue }
            let ends = log.events.count(where: \.type.isTerminal)
            guard ends == 1, log.events.last?.type == Self.terminal(of: row.state) else {
                throw Violation("\(id) is \(row.state), its log is \(log.events.map { "\($0.id) \($0.type)" })")
            }
        }
        if self.isChatty { try self.judgeConversations() }
    }

    /// Each answer is there once, and right after its question.
    private func judgeConversations() throws {
        let messages = try self.connection.rows(
            "SELECT tenant || '/' || conversation_id, id FROM messages ORDER BY tenant, conversation_id, position",
            []
        ) { (lane: $0.text(0) ?? "", id: $0.text(1) ?? "") }
        for (id, row) in self.watch.rows where row.state == .completed && self.jobs[id]?.isChat == true {
            let answer = "\(id).answer.\(row.redrives)"
            let index = messages.firstIndex { $0.id == answer }
            let before = index.flatMap { $0 > 0 ? messages[$0 - 1].id : nil }
            // A job that was put back answers later than it was asked.
            guard index != nil, row.redrives > 0 || before == "\(id).user" else {
                throw Violation("the answer of \(id) is not after its question: \(messages.map(\.id))")
            }
        }
        guard Set(messages.map(\.id)).count == messages.count else {
            throw Violation("a message is there twice: \(messages.map(\.id))")
        }
    }
}
