import Domain
import Events
import Foundation
import Redis
import Store
import Synchronization
import TestSupport

@testable import Queue

/// A clock that stands still until it is told to move.
final class TestClock: Sendable {
    static let start = Timestamp(milliseconds: 1_700_000_000_000)
    private let time = Mutex(TestClock.start)

    var now: Timestamp { self.time.withLock { $0 } }

    func advance(by duration: Duration) { self.time.withLock { $0 = $0 + duration } }
}

/// A queue on a Redis and a database of its own, on a clock of its own; a job of lane "c" belongs to conversation "c".
struct TestQueue: Sendable {
    let server: RedisServer
    let redis: RedisClient
    let subscriber: RedisSubscriber
    let database: SQLiteDatabase
    let file: URL
    let clock: TestClock
    /// What the database has for a clock.
    let now: @Sendable () -> Timestamp
    let log: EventLog
    let queue: JobQueue

    /// The queue of another process: the ledger and the streams are shared, everything else is its own.
    func withOtherProcess<Result>(_ body: (JobQueue) async throws -> Result) async throws -> Result {
        let database = try SQLiteDatabase(file: self.file, clock: self.now)
        let queue = JobQueue(
            database: database,
            redis: self.redis,
            log: self.log,
            keys: QueueKeys(prefix: "t:"),
            configuration: self.queue.configuration,
            logger: quietLogger
        )
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await body(queue))
        } catch {
            outcome = .failure(error)
        }
        try database.close()
        return try outcome.get()
    }

    var reaper: Reaper { Reaper(queue: self.queue, logger: quietLogger) }

    // MARK: Tables

    /// The ledger in order of submission: `id state[ head] attempt/claims/lost[ announced]`.
    func jobs() async throws -> [String] {
        try await self.texts(
            """
            SELECT id || ' ' || state || CASE lane_head WHEN 1 THEN ' head' ELSE '' END
                || ' ' || attempt || '/' || claims || '/' || lost
                || CASE announced WHEN 1 THEN ' announced' ELSE '' END
            FROM jobs ORDER BY created_at, rowid
            """
        )
    }

    /// The jobs on a stream, oldest first.
    func stream(_ priority: JobPriority = .default) async throws -> [String] {
        let reply = try await self.redis.send(
            RedisCommand("XRANGE", .string("t:jobs:\(priority.name)"), "-", "+")
        )
        return (reply.array ?? []).compactMap { $0.array?.last?.array?.last?.string }
    }

    /// Entries of a stream that were read and not settled.
    func pending(_ priority: JobPriority = .default) async throws -> Int64 {
        let reply = try await self.redis.send(
            RedisCommand("XPENDING", .string("t:jobs:\(priority.name)"), "workers")
        )
        return reply.array?.first?.int ?? -1
    }

    /// A job's log as `id type`; an epoch is shown as milliseconds after the clock's start.
    func events(_ id: JobID) async throws -> [String] {
        try await self.log.entries(of: id, after: .zero, limit: 1000).map { "\(Self.name($0.id)) \($0.type.rawValue)" }
    }

    static func name(_ id: EventID) -> String {
        id.epoch == 0 ? id.description : "+\(id.epoch - TestClock.start.milliseconds)-\(id.sequence)"
    }

    func texts(_ sql: String) async throws -> [String] {
        try await self.database.read { connection in try connection.rows(sql, []) { $0.text(0) ?? "NULL" } }
    }

    func job(_ id: JobID) async throws -> Job {
        guard let job = try await self.database.read({ try Ledger($0).job(id) }) else {
            throw NotInTime(description: "there is no job \(id)")
        }
        return job
    }

    /// `role: content` of a conversation's messages in order.
    func dialog(_ conversation: ConversationID) async throws -> [String] {
        try await self.database.read { connection in
            try Conversations(connection).messages(of: conversation, of: .default, last: 1000)
                .map { "\($0.role): \($0.content)" }
        }
    }

    /// Milliseconds until a log expires; -1 when it does not, -2 when there is none.
    func timeToLive(_ id: JobID) async throws -> Int64 {
        try await self.redis.send(RedisCommand("PTTL", .string("t:log:\(id)"))).int ?? -3
    }

    // MARK: Calls

    func newJob(
        _ id: JobID,
        lane: ConversationID? = nil,
        tenant: TenantID = .default,
        priority: JobPriority = .default
    ) throws -> NewJob {
        let conversation = lane ?? ConversationID(rawValue: "own-\(id)")
        let payload = ChatPayload(
            text: "Question of \(id)",
            conversationID: conversation,
            userMessageID: MessageID(rawValue: "\(id).user"),
            answerID: MessageID(rawValue: "\(id).answer")
        )
        return NewJob(
            id: id,
            kind: .chat,
            tenant: tenant,
            priority: priority,
            conversationID: conversation,
            payload: try JSON.text(payload)
        )
    }

    @discardableResult
    func submit(
        _ id: JobID,
        lane: ConversationID? = nil,
        tenant: TenantID = .default,
        priority: JobPriority = .default,
        runAt: Timestamp? = nil,
        idempotency: NewJob.Idempotency? = nil,
        attach: @Sendable () async -> Void = {}
    ) async throws -> Accepted<Void> {
        var job = try self.newJob(id, lane: lane, tenant: tenant, priority: priority)
        job.runAt = runAt
        job.idempotency = idempotency
        let conversation = job.conversationID ?? ConversationID()
        return try await self.queue.submit(job) { connection in
            try Conversations(connection).ensure(conversation, of: tenant, title: "T", agent: .default)
        } attach: { _ in
            await attach()
        }
    }

    /// What an attempt writes its events with.
    func writer(for lease: Lease) throws -> LogWriter {
        LogWriter(
            job: lease.id,
            epoch: lease.epoch,
            log: self.log,
            start: try lease.job.startFrame(),
            isNew: lease.job.claims == 1,
            logger: quietLogger
        ) { await self.queue.holds(lease) }
    }

    /// Writes a text as the first event of an attempt; false when the log is somebody else's.
    func writes(_ text: String, under lease: Lease) async throws -> Bool {
        let writer = try self.writer(for: lease)
        async let isOurs = writer.run()
        await writer.add(text, as: .token)
        await writer.flush(within: .seconds(30))
        _ = writer.close()
        return await isOurs
    }

    /// What a cancel came to: `ended <job> at <event>` for each that ended in the call, `requested <job>` for the others.
    @discardableResult
    func cancel(_ id: JobID, of tenant: TenantID = .default) async throws -> [String] {
        switch try await self.queue.cancel(id, of: tenant) {
        case .alreadyEnded(let state): ["already \(state)"]
        case .cancelled(let tree):
            tree.ended.map { "ended \($0.id) at \(Self.name($0.announceAt))" }
                + tree.requested.map { "requested \($0)" }
        }
    }

    func beat(_ worker: WorkerID, running: Int = 1, finished: Int = 0, runTime: Duration = .zero) async throws
        -> WorkerOrders
    {
        let figures = WorkerFigures(running: running, finished: finished, runTime: runTime)
        return try await self.database.write(.relaxed) { connection in
            try Workers(connection).beat(worker, figures, draining: false)
        }
    }

    func read(_ count: Int = 100, by worker: WorkerID = "w1", lowFirst: Bool = false) async throws
        -> [JobStreams.Entry]
    {
        try await self.queue.streams.read(
            count,
            for: worker,
            waiting: .milliseconds(1),
            lowFirst: lowFirst,
            on: self.redis
        )
    }

    /// Registers the worker, reads what is there and claims it.
    @discardableResult
    func claim(_ count: Int = 100, by worker: WorkerID = "w1") async throws -> [Lease] {
        try await self.register(worker)
        return try await self.queue.claim(try await self.read(count, by: worker), by: worker)
    }

    func register(_ worker: WorkerID, slots: Int = 4) async throws {
        try await self.database.write(.relaxed) { connection in
            let workers = Workers(connection)
            try workers.remove(worker)
            try workers.register(worker, host: "h", pid: 1, version: "0", slots: slots)
        }
    }

    /// Ends a job as a worker does: the log is made with the end when nothing was sent before.
    func finish(_ lease: Lease, _ ending: Ending) async throws {
        // With Redis away nothing is written, whichever it is.
        let last = try? await self.log.last(of: lease.id)
        let isNew = lease.job.claims == 1 && last == nil
        let first = EventID(epoch: lease.epoch, sequence: 0)
        try await self.queue.finish(
            lease,
            ending,
            after: LogRemainder(frames: isNew ? [try lease.job.startFrame()] : [], createsLog: isNew),
            terminalAt: last.map { $0.id.epoch == lease.epoch ? $0.id.next : first } ?? first
        )
    }

    func finish(_ lease: Lease, _ state: JobState = .completed) async throws {
        try await self.finish(lease, Self.ending(state))
    }

    /// Writes the first batch of an attempt: the log's first event if it is new, and a text.
    func begin(_ lease: Lease, saying text: String = "text") async throws {
        let token = EventFrame(
            id: EventID(epoch: lease.epoch, sequence: 0),
            type: .token,
            text: text,
            jobID: lease.id
        )
        if lease.job.claims == 1 { try await self.log.recreate(lease.id, with: [try lease.job.startFrame()]) }
        _ = try await self.log.append([token], to: lease.id)
    }

    static func ending(_ state: JobState) -> Ending {
        let failure = JobFailure(code: "provider_timeout", message: "Too slow.", retryable: true)
        return Ending(
            state: state,
            result: state == .completed ? #"{"response":"yes"}"# : nil,
            failure: state == .failed ? failure : nil
        )
    }
}

/// Gives `body` a fresh queue; its groups exist.
///
/// With `realTime` the database's clock is that of the system, as the dispatcher's own always is.
func withTestQueue<Result>(
    commandTimeout: Duration = .seconds(30),
    realTime: Bool = false,
    _ configure: (inout QueueConfiguration) -> Void = { _ in },
    _ body: (TestQueue) async throws -> Result
) async throws -> Result {
    var configuration = QueueConfiguration()
    configure(&configuration)
    return try await withTemporaryDirectory { folder in
        try await withRedis(appendOnly: true) { server in
            var address = try RedisConfiguration(url: server.url)
            address.commandTimeout = commandTimeout
            let redis = RedisClient(address, name: "test", logger: quietLogger)
            let subscriber = RedisSubscriber(address, name: "test", logger: quietLogger)
            async let running: Void = redis.run()
            async let subscribing: Void = subscriber.run()
            let clock = TestClock()
            let file = folder.appendingPathComponent("test.db")
            let now: @Sendable () -> Timestamp = { realTime ? .now : clock.now }
            let database = try SQLiteDatabase(file: file, clock: now)
            let log = EventLog(redis: redis, keys: EventKeys(prefix: "t:"), eventsMax: 50_000)
            let queue = JobQueue(
                database: database,
                redis: redis,
                log: log,
                keys: QueueKeys(prefix: "t:"),
                configuration: configuration,
                logger: quietLogger
            )
            let outcome: Swift.Result<Result, any Error>
            do {
                try await eventually(within: .seconds(30), "Redis is connected") {
                    redis.isConnected && subscriber.isConnected
                }
                try await queue.streams.createGroups()
                outcome = .success(
                    try await body(
                        TestQueue(
                            server: server,
                            redis: redis,
                            subscriber: subscriber,
                            database: database,
                            file: file,
                            clock: clock,
                            now: now,
                            log: log,
                            queue: queue
                        )
                    )
                )
            } catch {
                outcome = .failure(error)
            }
            await redis.close()
            await subscriber.close()
            try await running
            try await subscribing
            try database.close()
            return try outcome.get()
        }
    }
}
