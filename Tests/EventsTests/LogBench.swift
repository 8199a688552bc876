import Domain
import Events
import Redis
import TestSupport

/// A log on a Redis of its own, for one job.
struct LogBench: Sendable {
    let server: RedisServer
    let redis: RedisClient
    let subscriber: RedisSubscriber
    let log: EventLog
    let job = JobID()

    var start: EventFrame {
        get throws {
            let data = EventData.Start(
                jobID: self.job,
                conversationID: nil,
                agentID: nil,
                messageID: nil,
                userMessageID: nil
            )
            return try EventFrame(id: .start, type: .start, data: data)
        }
    }

    /// A log with its first event, as an earlier attempt has left it.
    func create() async throws {
        try await self.log.recreate(self.job, with: [try self.start])
    }

    /// What an attempt at `epoch` does.
    func writer(
        epoch: Int64,
        isNew: Bool = false,
        isOurs: @escaping @Sendable () async -> Bool = { true }
    ) throws -> LogWriter {
        LogWriter(
            job: self.job,
            epoch: epoch,
            log: self.log,
            start: try self.start,
            isNew: isNew,
            logger: quietLogger,
            isOurs: isOurs
        )
    }

    /// Runs a writer around `body` and closes it; nil when it was fenced, else where the terminal event goes.
    func write(
        epoch: Int64,
        isNew: Bool = false,
        isOurs: @escaping @Sendable () async -> Bool = { true },
        _ body: (LogWriter) async throws -> Void
    ) async throws -> EventID? {
        let writer = try self.writer(epoch: epoch, isNew: isNew, isOurs: isOurs)
        async let isRunning = writer.run()
        do {
            try await body(writer)
        } catch {
            _ = writer.close()
            _ = await isRunning
            throw error
        }
        let next = writer.close().next
        return await isRunning ? next : nil
    }

    /// Every event of the log.
    func entries(after cursor: EventID = .zero) async throws -> [EventLog.Entry] {
        try await self.log.entries(of: self.job, after: cursor, limit: 100_000)
    }

    /// The log as a table: `id type`.
    func table() async throws -> [String] {
        try await self.entries().map { "\($0.id) \($0.type.rawValue)" }
    }

    func token(_ text: String, at id: EventID) -> EventFrame {
        EventFrame(id: id, type: .token, text: text, jobID: self.job)
    }

    func complete(at id: EventID) throws -> EventFrame {
        try EventFrame(id: id, type: .complete, data: ["job_id": self.job])
    }

    /// Appends `count` tokens from `first` on, and the terminal event if asked for.
    @discardableResult
    func append(_ count: Int, from first: EventID, ending: Bool = false) async throws -> [EventFrame] {
        var frames = (0..<count).map { index in
            self.token("w\(index) ", at: EventID(epoch: first.epoch, sequence: first.sequence + Int64(index)))
        }
        if ending {
            frames.append(
                try self.complete(at: EventID(epoch: first.epoch, sequence: first.sequence + Int64(count)))
            )
        }
        _ = try await self.log.append(frames, to: self.job)
        return frames
    }
}

extension LedgerView {
    /// Of a job that goes on, for a follower that has seen its start.
    static let stillOpen = LedgerView.open(start: nil)
}

/// Gives `body` a log, a client and a subscriber on a Redis of their own.
func withLog<Result>(
    appendOnly: Bool = false,
    eventsMax: Int = 50_000,
    commandTimeout: Duration = .seconds(30),
    _ body: (LogBench) async throws -> Result
) async throws -> Result {
    try await withRedis(appendOnly: appendOnly) { server in
        var configuration = try RedisConfiguration(url: server.url)
        configuration.commandTimeout = commandTimeout
        let redis = RedisClient(configuration, name: "test", logger: quietLogger)
        let subscriber = RedisSubscriber(configuration, name: "test", logger: quietLogger)
        async let running: Void = redis.run()
        async let subscribing: Void = subscriber.run()
        let log = EventLog(redis: redis, keys: EventKeys(prefix: "t:"), eventsMax: eventsMax)
        let outcome: Swift.Result<Result, any Error>
        do {
            try await eventually(within: .seconds(30), "Redis is connected") {
                redis.isConnected && subscriber.isConnected
            }
            outcome = .success(
                try await body(LogBench(server: server, redis: redis, subscriber: subscriber, log: log))
            )
        } catch {
            outcome = .failure(error)
        }
        await redis.close()
        await subscriber.close()
        try await running
        try await subscribing
        return try outcome.get()
    }
}
