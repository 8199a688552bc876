package import CoreMetrics
package import Domain
package import NIOCore
package import Redis

/// A job's facts: append, replay, follow.
///
/// Each job has one Redis stream. Ids are `<epoch>-<sequence>`, chosen by the writer, dense inside an epoch: Redis refuses
/// an id that is not above the top one, so a worker whose lease was taken over cannot add one more event.
package struct EventLog: Sendable {
    /// One event as it came from Redis: the head parsed, the bytes as they are.
    package struct Entry: Sendable, Equatable {
        package let id: EventID
        package let type: EventType
        package let bytes: ByteBuffer
    }

    /// What came of an append.
    package enum Appended: Sendable, Equatable {
        /// All events are in the log.
        case all
        /// The log does not exist: Redis has lost it, or it has expired. Nothing was written.
        case logMissing
    }

    static let field = "f"

    let redis: RedisClient
    private let keys: EventKeys
    private let eventsMax: Int
    private let appended: Counter

    /// A log that keeps about `eventsMax` events of each job.
    package init(
        redis: RedisClient,
        keys: EventKeys,
        eventsMax: Int,
        metrics: any MetricsFactory = NOOPMetricsHandler.instance
    ) {
        self.appended = Counter(label: "penguin_log_events", factory: metrics)
        self.redis = redis
        self.keys = keys
        self.eventsMax = eventsMax
    }

    /// The number of the present connection to Redis: another number means that it was away.
    var connection: Int { self.redis.connectionNumber }

    /// Appends events to a log that exists, and publishes the same bytes.
    ///
    /// Throws `.fenced` when a newer epoch has written, `.unavailable` when Redis did not answer.
    package func append(_ frames: [EventFrame], to job: JobID) async throws(EventsError) -> Appended {
        try await self.send(frames, to: job, creating: false, expiringAfter: nil)
    }

    /// Appends events, and makes the log if it is gone.
    package func recreate(_ job: JobID, with frames: [EventFrame]) async throws(EventsError) {
        _ = try await self.send(frames, to: job, creating: true, expiringAfter: nil)
    }

    /// Appends what a run has left and the terminal event, and lets the log expire.
    package func close(
        _ job: JobID,
        after events: LogRemainder = LogRemainder(),
        with terminal: EventFrame,
        ttl: Duration
    ) async throws(EventsError) -> Appended {
        try await self.send(events.frames + [terminal], to: job, creating: events.createsLog, expiringAfter: ttl)
    }

    /// Limits the life of an ended job's log.
    package func expire(_ job: JobID, after ttl: Duration) async throws(EventsError) {
        do {
            _ = try await self.redis.send(RedisCommand("PEXPIRE", self.key(of: job), .int(Int(ttl.milliseconds))))
        } catch {
            throw EventsError(.unavailable, error.message, underlying: error)
        }
    }

    /// Deletes a job's log.
    package func delete(_ job: JobID) async throws(EventsError) {
        do {
            _ = try await self.redis.send(RedisCommand("DEL", .string(self.keys.log(job))))
        } catch {
            throw EventsError(.unavailable, error.message, underlying: error)
        }
    }

    private func send(
        _ frames: [EventFrame],
        to job: JobID,
        creating: Bool,
        expiringAfter ttl: Duration?
    ) async throws(EventsError) -> Appended {
        let key = RedisArgument.string(self.keys.log(job))
        var commands: [RedisCommand] = []
        commands.reserveCapacity(frames.count * 2 + 1)
        for frame in frames {
            commands.append(self.addition(of: frame, to: key, creating: creating))
            commands.append(RedisCommand("PUBLISH", key, .byteArray(frame.bytes)))
        }
        if let ttl { commands.append(RedisCommand("PEXPIRE", key, .int(Int(ttl.milliseconds)))) }
        let replies: [Result<RedisValue, RedisError>]
        do {
            replies = try await self.redis.send(batch: commands)
        } catch {
            throw EventsError(.unavailable, error.message, underlying: error)
        }
        self.appended.increment(by: frames.count)
        for index in frames.indices {
            if try self.outcome(of: replies[index * 2], frame: frames[index]) == .logMissing { return .logMissing }
        }
        return .all
    }

    private func addition(of frame: EventFrame, to key: RedisArgument, creating: Bool) -> RedisCommand {
        var arguments: [RedisArgument] = [key]
        if !creating { arguments.append("NOMKSTREAM") }
        arguments += [
            "MAXLEN", "~", .int(self.eventsMax), .string(frame.id.description), .string(Self.field),
            .byteArray(frame.bytes),
        ]
        return RedisCommand("XADD", arguments: arguments)
    }

    private func outcome(
        of reply: Result<RedisValue, RedisError>,
        frame: EventFrame
    ) throws(EventsError) -> Appended {
        switch reply {
        case .success(.null): return .logMissing
        case .success: return .all
        case .failure(let error):
            let code: EventsError.Code = error.isIDTooLow ? .fenced : .unavailable
            throw EventsError(code, "\(frame.id): \(error.message)", underlying: error)
        }
    }

    /// The events after `cursor`, oldest first, at most `limit`.
    package func entries(
        of job: JobID,
        after cursor: EventID,
        limit: Int
    ) async throws(EventsError) -> [Entry] {
        try await self.read(
            RedisCommand(
                "XRANGE",
                .string(self.keys.log(job)),
                .string("(\(cursor)"),
                "+",
                "COUNT",
                .int(limit)
            )
        )
    }

    /// The newest event; nil when there is no log.
    package func last(of job: JobID) async throws(EventsError) -> Entry? {
        try await self.newest(1, of: job).first
    }

    /// The newest events, the last one first.
    func newest(_ count: Int, of job: JobID) async throws(EventsError) -> [Entry] {
        try await self.read(RedisCommand("XREVRANGE", self.key(of: job), "+", "-", "COUNT", .int(count)))
    }

    func key(of job: JobID) -> RedisArgument { .string(self.keys.log(job)) }

    private func read(_ command: RedisCommand) async throws(EventsError) -> [Entry] {
        let reply: RedisValue
        do {
            reply = try await self.redis.send(command)
        } catch {
            throw EventsError(.unavailable, error.message, underlying: error)
        }
        return try (reply.array ?? []).map(Self.entry(of:))
    }

    /// Reads `[id, [field, frame]]`.
    private static func entry(of value: RedisValue) throws(EventsError) -> Entry {
        guard let bytes = value.array?.last?.array?.last?.bytes, let entry = Entry(bytes: bytes) else {
            throw EventsError(.malformed, "an entry of the log is not an event")
        }
        return entry
    }

    /// The channel that carries a job's events.
    package func channel(of job: JobID) -> String { self.keys.log(job) }
}

extension EventLog.Entry {
    /// Reads the head; nil when the bytes are not an event.
    package init?(bytes: ByteBuffer) {
        guard let head = EventFrame.head(of: bytes.readableBytesView) else { return nil }
        self.init(id: head.id, type: head.type, bytes: bytes)
    }

    /// An event of our own making.
    package init(_ frame: EventFrame) {
        self.init(id: frame.id, type: frame.type, bytes: ByteBuffer(bytes: frame.bytes))
    }
}

extension RedisError {
    /// XADD was refused because the stream has that id or a later one already.
    ///
    /// Redis says "The ID specified in XADD is equal or smaller than the target stream top item", under no code of
    /// its own.
    package var isIDTooLow: Bool { self.message.contains("equal or smaller than the target stream top item") }
}
