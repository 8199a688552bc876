package import Domain
import Redis

extension EventLog {
    /// Shuts a log against its worker: nothing below `seal` is taken any more.
    ///
    /// Returns the terminal event when the worker was quicker, and then the log ends with it; nil when there is none. Looking
    /// first and appending then would let a worker that comes in between make a second end.
    package func seal(_ job: JobID, with seal: EventFrame) async throws(EventsError) -> Entry? {
        do {
            // Not published: it is for the log alone.
            _ = try await self.redis.send(
                RedisCommand(
                    "XADD",
                    self.key(of: job),
                    "NOMKSTREAM",
                    .string(seal.id.description),
                    .string(Self.field),
                    .byteArray(seal.bytes)
                )
            )
        } catch {
            // Somebody else's seal, or an end above it, does as well.
            guard error.isIDTooLow else { throw EventsError(.unavailable, error.message, underlying: error) }
        }
        let last = try await self.newest(2, of: job).first { $0.id != seal.id }
        guard let last, last.type.isTerminal else { return nil }
        do {
            // Redis keeps its id as the top one.
            _ = try await self.redis.send(RedisCommand("XDEL", self.key(of: job), .string(seal.id.description)))
        } catch {
            throw EventsError(.unavailable, error.message, underlying: error)
        }
        return last
    }
}
