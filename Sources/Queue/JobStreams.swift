package import Domain
package import Redis
import Store

/// The Redis streams that hand job ids to workers: one for each priority, one consumer group.
///
/// They hold only the dispatch window; an entry is acknowledged and deleted as soon as its job is claimed, so the streams
/// never grow with the backlog. Losing them loses nothing: what is dispatched in the ledger goes on them again.
package struct JobStreams: Sendable {
    /// An entry of a stream.
    package struct Entry: Sendable, Equatable {
        package let job: JobID
        package let stream: String
        let id: String
    }

    private static let field = "job"
    /// The deadline of a blocking read, beyond its own blocking time.
    private static let slack = Duration.seconds(5)

    private let redis: RedisClient
    private let keys: QueueKeys

    package init(redis: RedisClient, keys: QueueKeys) {
        self.redis = redis
        self.keys = keys
    }

    /// The command that puts a job on its stream.
    func addition(of dispatch: Dispatch) -> RedisCommand {
        RedisCommand(
            "XADD",
            .string(self.keys.jobs(dispatch.priority)),
            "*",
            .string(Self.field),
            .string(dispatch.id.rawValue)
        )
    }

    /// The entries on all streams, those included that were read and not settled.
    func count() async throws(RedisError) -> Int {
        let commands = JobPriority.allCases.map { RedisCommand("XLEN", .string(self.keys.jobs($0))) }
        var count = 0
        for reply in try await self.redis.send(batch: commands) { count += Int(try reply.get().int ?? 0) }
        return count
    }

    /// Makes streams and groups that do not exist, beginning at their first entry, so that none is skipped.
    package func createGroups() async throws(RedisError) {
        let commands = JobPriority.allCases.map { priority in
            RedisCommand(
                "XGROUP",
                "CREATE",
                .string(self.keys.jobs(priority)),
                .string(QueueKeys.group),
                "0",
                "MKSTREAM"
            )
        }
        for reply in try await self.redis.send(batch: commands) {
            if case .failure(let error) = reply, !error.message.hasPrefix("BUSYGROUP") { throw error }
        }
    }

    /// Reads up to `count` new entries from each stream for a worker, waiting at most `wait` for the first.
    ///
    /// `blocking` is a connection of the reader's own. With `lowFirst` the streams are read the other way round.
    package func read(
        _ count: Int,
        for worker: WorkerID,
        waiting wait: Duration,
        lowFirst: Bool,
        on blocking: RedisClient
    ) async throws(RedisError) -> [Entry] {
        let priorities = lowFirst ? JobPriority.allCases.reversed() : JobPriority.allCases
        var arguments: [RedisArgument] = [
            "GROUP", .string(QueueKeys.group), .string(worker.rawValue), "COUNT", .int(count), "BLOCK",
            .int(max(1, Int(wait.milliseconds))), "STREAMS",
        ]
        arguments += priorities.map { .string(self.keys.jobs($0)) }
        arguments += priorities.map { _ in ">" }
        let reply = try await blocking.send(
            RedisCommand("XREADGROUP", arguments: arguments),
            timeout: wait + Self.slack
        )
        return Self.entries(ofStreams: reply)
    }

    /// Takes over the entries that their readers have left unsettled for `idle`.
    package func reclaim(for worker: WorkerID, idle: Duration, limit: Int) async throws(RedisError) -> [Entry] {
        var entries: [Entry] = []
        for priority in JobPriority.allCases {
            let stream = self.keys.jobs(priority)
            let reply = try await self.redis.send(
                RedisCommand(
                    "XAUTOCLAIM",
                    .string(stream),
                    .string(QueueKeys.group),
                    .string(worker.rawValue),
                    .int(Int(idle.milliseconds)),
                    "0",
                    "COUNT",
                    .int(limit)
                )
            )
            // [next cursor, entries, ids of entries that were deleted meanwhile]
            guard let parts = reply.array, parts.count >= 2 else { continue }
            entries += Self.entries(parts[1], of: stream)
        }
        return entries
    }

    /// Acknowledges and deletes entries.
    ///
    /// Failure is harmless: they are reclaimed later, and their jobs are not dispatched.
    package func settle(_ entries: [Entry]) async throws(RedisError) {
        var commands: [RedisCommand] = []
        for (stream, entries) in Dictionary(grouping: entries, by: \.stream) {
            let ids = entries.map { RedisArgument.string($0.id) }
            commands.append(RedisCommand("XACK", arguments: [.string(stream), .string(QueueKeys.group)] + ids))
            commands.append(RedisCommand("XDEL", arguments: [.string(stream)] + ids))
        }
        _ = try await self.redis.send(batch: commands)
    }

    /// Removes a worker's consumer where it has nothing pending; a consumer with entries stays, so that they are reclaimed.
    package func leave(_ worker: WorkerID) async throws(RedisError) {
        for priority in JobPriority.allCases {
            let stream = RedisArgument.string(self.keys.jobs(priority))
            let pending = try await self.redis.send(
                RedisCommand(
                    "XPENDING",
                    stream,
                    .string(QueueKeys.group),
                    "-",
                    "+",
                    "1",
                    .string(worker.rawValue)
                )
            )
            guard pending.array?.isEmpty ?? true else { continue }
            _ = try await self.redis.send(
                RedisCommand("XGROUP", "DELCONSUMER", stream, .string(QueueKeys.group), .string(worker.rawValue))
            )
        }
    }

    /// Removes the consumers that have read nothing for `idle` and have nothing pending: those of dead workers.
    ///
    /// One with entries stays until they are reclaimed: with it they would be lost to the group.
    package func forgetConsumers(idle: Duration) async throws(RedisError) {
        for priority in JobPriority.allCases {
            let stream = RedisArgument.string(self.keys.jobs(priority))
            let reply = try await self.redis.send(
                RedisCommand("XINFO", "CONSUMERS", stream, .string(QueueKeys.group))
            )
            for consumer in reply.array ?? [] {
                let fields = Self.fields(consumer)
                guard let name = fields["name"]?.string, fields["pending"]?.int == 0,
                    let idleFor = fields["idle"]?.int, idleFor > idle.milliseconds
                else { continue }
                _ = try await self.redis.send(
                    RedisCommand("XGROUP", "DELCONSUMER", stream, .string(QueueKeys.group), .string(name))
                )
            }
        }
    }

    /// The fields of a reply `[name, value, name, value, …]`.
    private static func fields(_ value: RedisValue) -> [String: RedisValue] {
        let parts = value.array ?? []
        let pairs = stride(from: 0, to: parts.count - 1, by: 2).compactMap { index in
            parts[index].string.map { ($0, parts[index + 1]) }
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    /// `[[stream, entries], …]`, or nil when nothing came.
    private static func entries(ofStreams reply: RedisValue) -> [Entry] {
        (reply.array ?? []).flatMap { stream -> [Entry] in
            guard let parts = stream.array, parts.count == 2, let name = parts[0].string else { return [] }
            return Self.entries(parts[1], of: name)
        }
    }

    /// `[[id, [field, job]], …]`; an entry that was deleted has no fields and is left out.
    private static func entries(_ value: RedisValue, of stream: String) -> [Entry] {
        (value.array ?? []).compactMap { entry in
            guard let parts = entry.array, parts.count == 2, let id = parts[0].string,
                let job = parts[1].array?.last?.string
            else { return nil }
            return Entry(job: JobID(rawValue: job), stream: stream, id: id)
        }
    }
}
