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
    let clock: TestClock
    let log: EventLog
    let queue: JobQueue

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

    func submit(
        _ id: JobID,
        lane: ConversationID? = nil,
        tenant: TenantID = .default,
        priority: JobPriority = .default,
        attach: @Sendable () async -> Void = {}
    ) async throws {
        let job = try self.newJob(id, lane: lane, tenant: tenant, priority: priority)
        let conversation = job.conversationID ?? ConversationID()
        try await self.queue.submit(job) { connection in
            try Conversations(connection).ensure(conversation, of: tenant, title: "T", agent: .default)
        } attach: {
            await attach()
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

    func register(_ worker: WorkerID) async throws {
        try await self.database.write(.relaxed) { connection in
            let workers = Workers(connection)
            try workers.remove(worker)
            try workers.register(worker, host: "h", pid: 1, version: "0", slots: 4)
        }
    }

    func finish(_ lease: Lease, _ state: JobState = .completed) async throws {
        try await self.queue.finish(
            lease,
            Self.ending(state),
            terminalAt: EventID(epoch: lease.epoch, sequence: 0)
        )
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
func withTestQueue<Result>(
    commandTimeout: Duration = .seconds(30),
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
            let database = try SQLiteDatabase(file: folder.appendingPathComponent("test.db")) { clock.now }
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
                            clock: clock,
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
