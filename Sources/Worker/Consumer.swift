import Domain
import Events
import Logging
import Queue
import Redis
import Synchronization

/// The role that reads job ids from the streams, claims them and starts their runs: never more than there are slots.
final class Consumer: Sendable {
    /// How long one read waits for a job.
    private static let block = Duration.seconds(2)
    /// Every so many reads the low priority comes first, so that it is never starved.
    private static let lowFirstEvery = 10
    private static let backoff = Duration.milliseconds(200)

    private let worker: WorkerID
    private let queue: JobQueue
    private let blocking: RedisClient
    private let running: RunningJobs
    private let runner: JobRunner
    private let logger: Logger
    private let isStopped = Mutex(false)
    /// Entries taken over from a dead reader.
    private let adopted = Mutex<[JobStreams.Entry]>([])
    /// The streams that the last read brought something from: COUNT is for each of them.
    private let busyStreams = Mutex(1)
    /// When a read last returned, or there was no slot to read for.
    private let lastRound = Mutex(ContinuousClock.now)
    /// Called when the last run has ended and nothing is read any more.
    let hasEnded = WakeUp()

    init(
        worker: WorkerID,
        queue: JobQueue,
        blocking: RedisClient,
        running: RunningJobs,
        runner: JobRunner,
        logger: Logger
    ) {
        self.worker = worker
        self.queue = queue
        self.blocking = blocking
        self.running = running
        self.runner = runner
        self.logger = logger
    }

    /// Reads until stopped, and then until the last run has ended.
    func run() async {
        defer { self.hasEnded.call() }
        await withDiscardingTaskGroup { group in
            var round = 0
            while !self.isStopped.withLock({ $0 }), !Task.isCancelled {
                self.lastRound.withLock { $0 = .now }
                let free = self.running.freeSlots
                if free == 0 {
                    await self.running.waitForSlot()
                    continue
                }
                round += 1
                for lease in await self.read(free, lowFirst: round % Self.lowFirstEvery == 0) {
                    self.start(lease, in: &group)
                }
            }
        }
    }

    /// Stops reading; a read under way ends with its connection, and what it was just given is dispatched again.
    func stop() async {
        self.isStopped.withLock { $0 = true }
        self.running.poke()
        await self.blocking.close()
    }

    /// Takes entries over from a dead reader, to be claimed with the next read.
    func adopt(_ entries: [JobStreams.Entry]) {
        self.adopted.withLock { $0 += entries }
        self.running.poke()
    }

    /// Whether it was told to stop, and waits for its last runs.
    var isEnding: Bool { self.isStopped.withLock { $0 } }

    /// How long its present round, a read or a wait for a slot, lasts already.
    var age: Duration { self.lastRound.withLock { $0 }.duration(to: .now) }

    /// Entries that there may be a slot for.
    var freeSlots: Int { self.running.freeSlots }

    private func start(_ lease: Lease, in group: inout DiscardingTaskGroup) {
        let control = self.runner.enter(lease)
        group.addTask { await self.runner.run(lease, control: control) }
    }

    private func read(_ free: Int, lowFirst: Bool) async -> [Lease] {
        do {
            let adopted = self.adopted.withLock { entries in
                defer { entries = [] }
                return entries
            }
            let entries = adopted.isEmpty ? try await self.readStreams(free, lowFirst: lowFirst) : adopted
            return entries.isEmpty ? [] : try await self.queue.claim(entries, by: self.worker, atMost: free)
        } catch let error as RedisError where error.isMissingGroup {
            await self.recreateGroups()
        } catch {
            guard !self.isStopped.withLock({ $0 }) else { return [] }
            self.logger.debug("A read failed, will be tried again", metadata: [LogKeys.error: "\(error)"])
            try? await Task.sleep(for: Self.backoff)
        }
        return []
    }

    private func readStreams(_ free: Int, lowFirst: Bool) async throws -> [JobStreams.Entry] {
        let entries = try await self.queue.streams.read(
            max(1, free / self.busyStreams.withLock { $0 }),
            for: self.worker,
            waiting: Self.block,
            lowFirst: lowFirst,
            on: self.blocking
        )
        if !entries.isEmpty { self.busyStreams.withLock { $0 = Set(entries.map(\.stream)).count } }
        return entries
    }

    private func recreateGroups() async {
        self.logger.info("Making the streams")
        do {
            try await self.queue.streams.createGroups()
        } catch {
            try? await Task.sleep(for: Self.backoff)
        }
    }
}

extension RedisError {
    /// The stream or its group does not exist: the first start, or a Redis that lost its data, perhaps during the read.
    fileprivate var isMissingGroup: Bool {
        self.message.hasPrefix("NOGROUP") || self.message.hasPrefix("UNBLOCKED")
    }
}
