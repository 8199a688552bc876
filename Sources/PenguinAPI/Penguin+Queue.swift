public import Domain
import Queue
import Store

extension Penguin {
    /// How much waits, runs and has ended: of one tenant, or with nil of all, and then with the workers.
    public func queueStatus(of tenant: TenantID? = nil) async throws(PenguinError) -> QueueStatus {
        let lease = self.queue.configuration.lease
        do {
            return try await self.database.read { try QueueStatus(of: tenant, lease: lease, reading: $0) }
        } catch {
            throw PenguinError(error)
        }
    }

    /// Stops or resumes the beginning of jobs, for everybody; what runs goes on.
    public func setPaused(_ isPaused: Bool) async throws(PenguinError) {
        do {
            try await self.queue.setPaused(isPaused)
        } catch {
            throw PenguinError(error)
        }
    }

    /// Tells a worker to take no more jobs and to end; `.notFound` when there is none of that id.
    public func drain(worker id: WorkerID) async throws(PenguinError) {
        let isThere: Bool
        do {
            isThere = try await self.queue.drain(id)
        } catch {
            throw PenguinError(error)
        }
        guard isThere else { throw PenguinError(.notFound, "There is no worker '\(id)'.") }
    }
}
