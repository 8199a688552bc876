import Domain

/// The queue's figures as the server tells them.
struct ShownQueue: Decodable {
    struct Throughput: Decodable {
        let lastMinute: Int
        let lastFiveMinutes: Int

        enum CodingKeys: String, CodingKey {
            case lastMinute = "last_minute"
            case lastFiveMinutes = "last_five_minutes"
        }
    }

    struct Worker: Decodable {
        let workerID: String
        let host: String
        let pid: Int
        let slots: Int
        let running: Int
        let heartbeatAgeSeconds: Double
        let draining: Bool
        let finished: Int
        let meanRunSeconds: Double?

        enum CodingKeys: String, CodingKey {
            case workerID = "worker_id"
            case host, pid, slots, running
            case heartbeatAgeSeconds = "heartbeat_age_seconds"
            case draining, finished
            case meanRunSeconds = "mean_run_seconds"
        }
    }

    let paused: Bool
    let states: [String: Int]
    let priorities: [String: Int]
    let oldestWaitingSeconds: Double?
    let throughput: Throughput
    let slots: Int
    let workers: [Worker]?

    enum CodingKeys: String, CodingKey {
        case paused, states, priorities
        case oldestWaitingSeconds = "oldest_waiting_seconds"
        case throughput, slots, workers
    }
}

extension ShownQueue {
    /// The figures as lines, and the workers as a table.
    var report: String {
        let states = JobState.allCases
        var table = Table()
        func add(_ name: String, _ value: String, _ colour: Terminal.Colour? = nil) {
            table.add(Table.Cell(name, .grey), Table.Cell(value, colour))
        }
        add("queue", self.paused ? "paused" : "on", self.paused ? .yellow : .green)
        add("open", self.counts(states.filter { !$0.isTerminal }.map(\.rawValue), in: self.states))
        add("ended", self.counts(states.filter(\.isTerminal).map(\.rawValue), in: self.states))
        let oldest = self.oldestWaitingSeconds.map { ", the oldest for \(Duration.seconds($0).short)" } ?? ""
        add("waiting", self.counts(JobPriority.allCases.map(\.name), in: self.priorities) + oldest)
        add(
            "lately",
            "\(self.throughput.lastMinute) ended in a minute, \(self.throughput.lastFiveMinutes) in five"
        )
        add("slots", String(self.slots), self.slots == 0 ? .red : nil)
        return table.text + (self.workers.map(Self.report(of:)) ?? "")
    }

    private func counts(_ names: [String], in counts: [String: Int]) -> String {
        names.map { "\($0) \(counts[$0] ?? 0)" }.joined(separator: "  ")
    }

    private static func report(of workers: [Worker]) -> String {
        guard !workers.isEmpty else { return "\nNo live workers.\n" }
        var table = Table(["WORKER", "HOST", "PID", "RUNNING", "SLOTS", "FINISHED", "MEAN", "HEARTBEAT"])
        for worker in workers {
            table.add(
                Table.Cell(worker.workerID),
                Table.Cell(worker.host),
                Table.Cell(worker.pid),
                Table.Cell(worker.running),
                Table.Cell(worker.slots),
                Table.Cell(worker.finished),
                Table.Cell(worker.meanRunSeconds.map { Duration.seconds($0).short } ?? "-"),
                Table.Cell(Duration.seconds(worker.heartbeatAgeSeconds).short),
                Table.Cell(worker.draining ? "draining" : "", .yellow)
            )
        }
        return "\n" + table.text
    }
}
