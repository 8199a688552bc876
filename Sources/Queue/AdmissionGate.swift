import Domain
import Logging
import Redis
import Store
import Synchronization

/// Keeps the figures of the admission fresh, and asks for fresher ones before it refuses a job.
package final class AdmissionGate: Sendable {
    fileprivate struct State {
        var admission = Admission()
        var renewedAt: ContinuousClock.Instant?
        /// How long the last renewal took.
        var cost = Duration.zero
        /// Each worker's figures at the last renewal, whose growth gives the mean run.
        var workers: [WorkerID: (finished: Int, runTime: Duration)] = [:]
    }

    private static let interval = Duration.milliseconds(500)
    private static let intervalMin = Duration.milliseconds(20)
    /// Renewals take at most this part of the time.
    private static let dutyMax = 0.05

    private let database: any Database
    private let redis: RedisClient
    private let configuration: QueueConfiguration
    private let metrics: QueueMetrics
    private let logger: Logger
    private let state = Mutex(State())

    init(
        database: any Database,
        redis: RedisClient,
        configuration: QueueConfiguration,
        metrics: QueueMetrics,
        logger: Logger
    ) {
        self.metrics = metrics
        self.database = database
        self.redis = redis
        self.configuration = configuration
        self.logger = logger
    }

    /// Renews the figures until cancelled; without it everything is admitted.
    package func run() async {
        while !Task.isCancelled {
            await self.renew()
            let cost = self.state.withLock { $0.cost }
            try? await Task.sleep(for: max(Self.interval, cost * (1 / Self.dutyMax)))
        }
    }

    /// Throws `.tooMany` or `.refused` when the job cannot be accepted now.
    func admit(_ tenant: TenantID) async throws(QueueError) {
        var verdict = self.judge(tenant)
        if verdict != .admitted, self.isStale {
            await self.renew()
            verdict = self.judge(tenant)
        }
        switch verdict {
        case .admitted: return
        case .full(.tenant(let max), let wait):
            self.metrics.wasRefused("tenant")
            throw QueueError(.tooMany, "\(max) jobs of yours wait already, which is the most.", retryAfter: wait)
        case .full(.all(let max), let wait):
            self.metrics.wasRefused("all")
            throw QueueError(.tooMany, "\(max) jobs wait already, which is the most.", retryAfter: wait)
        case .redisFull:
            self.metrics.wasRefused("redis_memory")
            throw QueueError(
                .refused,
                "Redis has used more than \(Int(self.configuration.redisMemoryMax * 100)) % of its memory.",
                retryAfter: .seconds(10)
            )
        }
    }

    /// How long until that many jobs are taken.
    func wait(for queued: Int) -> Duration { self.state.withLock { $0.admission.wait(for: queued) } }

    private func judge(_ tenant: TenantID) -> Admission.Verdict {
        self.state.withLock { $0.admission.admit(tenant, under: self.configuration) }
    }

    private var isStale: Bool {
        self.state.withLock { state in
            guard let renewedAt = state.renewedAt else { return false }
            return renewedAt.duration(to: .now) > max(Self.intervalMin, state.cost * (1 / Self.dutyMax))
        }
    }

    private func renew() async {
        // Asked first, and its time not counted: a slow Redis must not make the figures of the ledger old.
        let redisMemory = await self.redisMemory()
        let began = ContinuousClock.now
        self.state.withLock { $0.admission.beginUpdate() }
        let lease = self.configuration.lease
        do {
            let (waiting, workers) = try await self.database.read { connection in
                (try Ledger(connection).waitingCounts(), try Workers(connection).live(within: lease))
            }
            var figures = Admission.Figures(
                waiting: waiting,
                slots: workers.filter { !$0.draining }.map(\.slots).reduce(0, +)
            )
            figures.redisMemory = redisMemory
            self.state.withLock { state in
                figures.meanRun = state.meanRun(of: workers) ?? state.admission.figures.meanRun
                state.admission.update(figures)
                state.renewedAt = .now
                state.cost = began.duration(to: .now)
            }
        } catch {
            self.logger.debug("No fresh figures of the queue", metadata: [LogKeys.error: "\(error)"])
        }
    }

    /// The used part of `maxmemory`; 0 without one, or when Redis does not tell.
    private func redisMemory() async -> Double {
        guard self.redis.isConnected,
            let text = try? await self.redis.send(RedisCommand("INFO", "memory"), timeout: .seconds(1)).string
        else { return 0 }
        let figures = Dictionary(
            text.split(whereSeparator: \.isNewline).compactMap { line -> (Substring, Double)? in
                guard let colon = line.firstIndex(of: ":"), let value = Double(line[line.index(after: colon)...])
                else { return nil }
                return (line[..<colon], value)
            },
            uniquingKeysWith: { first, _ in first }
        )
        guard let used = figures["used_memory"], let most = figures["maxmemory"], most > 0 else { return 0 }
        return used / most
    }
}

extension AdmissionGate.State {
    /// The mean run of the jobs that ended since the last look; nil when none did.
    fileprivate mutating func meanRun(of workers: [WorkerStatus]) -> Duration? {
        var finished = 0
        var runTime = Duration.zero
        for worker in workers {
            let before = self.workers[worker.id] ?? (0, .zero)
            finished += max(0, worker.finished - before.finished)
            runTime += max(.zero, worker.runTime - before.runTime)
        }
        self.workers = Dictionary(
            uniqueKeysWithValues: workers.map { ($0.id, (finished: $0.finished, runTime: $0.runTime)) }
        )
        return finished > 0 ? runTime / finished : nil
    }
}
