package import CoreMetrics
import Domain

/// What the queue counts and times; docs/metrics.md lists it all.
package struct QueueMetrics: Sendable {
    let lost: Counter
    let fenced: Counter
    let truncated: Counter
    let retried: Counter
    let redispatched: Counter
    let dispatchLatency: CoreMetrics.Timer
    private let submitted: [JobKind: Counter]
    private let refused: [String: Counter]
    private let ended: [JobKind: [JobState: Counter]]
    private let waits: [JobKind: CoreMetrics.Timer]
    private let runs: [JobKind: CoreMetrics.Timer]

    /// Instruments of a factory; the standard one keeps nothing.
    package init(_ factory: any MetricsFactory = NOOPMetricsHandler.instance) {
        self.lost = Counter(label: "penguin_jobs_lost", factory: factory)
        self.fenced = Counter(label: "penguin_jobs_fenced", factory: factory)
        self.truncated = Counter(label: "penguin_jobs_truncated", factory: factory)
        self.retried = Counter(label: "penguin_jobs_retried", factory: factory)
        self.redispatched = Counter(label: "penguin_jobs_redispatched", factory: factory)
        self.dispatchLatency = CoreMetrics.Timer(label: "penguin_dispatch_latency", factory: factory)
        func each<Value>(_ make: (JobKind) -> Value) -> [JobKind: Value] {
            Dictionary(uniqueKeysWithValues: JobKind.allCases.map { ($0, make($0)) })
        }
        self.submitted = each {
            Counter(label: "penguin_jobs_submitted", dimensions: [("kind", $0.rawValue)], factory: factory)
        }
        self.ended = each { kind in
            let states = JobState.allCases.filter(\.isTerminal).map { state in
                let labels = [("kind", kind.rawValue), ("state", state.rawValue)]
                return (state, Counter(label: "penguin_jobs_ended", dimensions: labels, factory: factory))
            }
            return Dictionary(uniqueKeysWithValues: states)
        }
        self.waits = each {
            CoreMetrics.Timer(label: "penguin_job_wait", dimensions: [("kind", $0.rawValue)], factory: factory)
        }
        self.runs = each {
            CoreMetrics.Timer(label: "penguin_job_run", dimensions: [("kind", $0.rawValue)], factory: factory)
        }
        let reasons = ["tenant", "all", "lane", "redis_memory"].map { reason in
            (reason, Counter(label: "penguin_jobs_refused", dimensions: [("reason", reason)], factory: factory))
        }
        self.refused = Dictionary(uniqueKeysWithValues: reasons)
    }

    func wasSubmitted(_ kind: JobKind) { self.submitted[kind]?.increment() }

    func wasRefused(_ reason: String) { self.refused[reason]?.increment() }

    /// A job was claimed: how long it waited in all, the first time, and how long it lay on its stream.
    func wasClaimed(_ job: Job) {
        guard let startedAt = job.startedAt else { return }
        if job.claims == 1 { self.waits[job.kind]?.record(startedAt - job.createdAt) }
        if let dispatchedAt = job.dispatchedAt { self.dispatchLatency.record(startedAt - dispatchedAt) }
    }

    /// A job ended; `startedAt` is nil when it had not begun.
    func hasEnded(_ kind: JobKind, _ state: JobState, startedAt: Timestamp?) {
        self.ended[kind]?[state]?.increment()
        if let startedAt { self.runs[kind]?.record(Timestamp.now - startedAt) }
    }

    /// A worker found that a job is somebody else's.
    package func wasFenced() { self.fenced.increment() }

    /// Text that was shown was taken back.
    package func wasTruncated() { self.truncated.increment() }
}

extension CoreMetrics.Timer {
    fileprivate func record(_ duration: Duration) {
        self.recordNanoseconds(max(0, duration.milliseconds) * 1_000_000)
    }
}
