package import Domain
import Events
import Redis
import Logging
import Store

/// What operators and owners do with jobs and workers.
extension JobQueue {
    /// Puts a failed or dead job back with fresh counters, at the end of its lane; false when it is in another state.
    package func redrive(_ id: JobID, of tenant: TenantID) async throws(QueueError) -> Bool {
        let isBack = try await self.write { try $0.redrive(id, of: tenant) }
        guard isBack else { return false }
        await self.forgetLog(of: id)
        self.dispatcher.noteBacklog()
        return true
    }

    /// Removes an ended job with its steps and children; false when something of it is open.
    package func delete(_ id: JobID, of tenant: TenantID) async throws(QueueError) -> Bool {
        let isGone = try await self.write { try $0.delete(id, of: tenant) }
        if isGone { await self.forgetLog(of: id) }
        return isGone
    }

    /// Stops or resumes dispatching, for all processes: once this returns nothing new begins.
    package func setPaused(_ isPaused: Bool) async throws(QueueError) {
        try await self.write { try $0.setPaused(isPaused) }
        self.dispatcher.noteBacklog()
    }

    /// Tells a worker to take no more jobs and to end; false when there is none of that id.
    package func drain(_ worker: WorkerID) async throws(QueueError) -> Bool {
        let isThere: Bool
        do {
            isThere = try await self.database.write(.durable) { try Workers($0).requestDrain(worker) }
        } catch {
            throw QueueError(error)
        }
        if isThere { await self.order(.drain(worker)) }
        return isThere
    }

    /// A log that is kept by a Redis out of reach expires by itself, or is deleted by the worker that runs the job again.
    private func forgetLog(of id: JobID) async {
        guard self.redis.isConnected else { return }
        do {
            try await self.log.delete(id)
        } catch {
            self.logger.debug("A log is not deleted", metadata: [LogKeys.job: "\(id)", LogKeys.error: "\(error)"])
        }
    }

    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (Ledger) throws -> Value
    ) async throws(QueueError) -> Value {
        do {
            return try await self.database.write(.durable) { try body(Ledger($0)) }
        } catch {
            throw QueueError(error)
        }
    }
}
