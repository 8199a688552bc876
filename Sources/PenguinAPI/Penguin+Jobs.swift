public import Domain
import Events
import Queue
import Store

extension Penguin {
    /// The job; `.notFound` when there is none or it is somebody else's.
    public func job(_ id: JobID, of tenant: TenantID = .default) async throws(PenguinError) -> Job {
        let job: Job?
        do {
            job = try await self.database.read { try Ledger($0).job(id, of: tenant) }
        } catch {
            throw PenguinError(error)
        }
        guard let job else { throw PenguinError(.notFound, "There is no job '\(id)'.") }
        return job
    }

    /// Asks for the end of a job and returns it as it is then; it has ended already, ends now, or ends soon.
    public func cancel(_ id: JobID, of tenant: TenantID = .default) async throws(PenguinError) -> Job {
        do {
            _ = try await self.queue.cancel(id, of: tenant)
        } catch {
            throw PenguinError(error)
        }
        return try await self.job(id, of: tenant)
    }

    /// Follows a job of the tenant's from a cursor: every event after it, once and in order, to the terminal one.
    package func follow(
        _ id: JobID,
        after cursor: EventID,
        of tenant: TenantID
    ) async throws(PenguinError) -> JobFeed {
        _ = try await self.job(id, of: tenant)
        return await self.follow(id, after: cursor, isNew: false)
    }

    func follow(_ id: JobID, after cursor: EventID, isNew: Bool) async -> JobFeed {
        let database = self.database
        let attachment = await self.relay.follow(id, after: cursor, isNew: isNew) {
            do {
                guard let job = try await database.read({ try Ledger($0).job(id) }) else { return .gone }
                return try job.view()
            } catch {
                // Asked again at the next silence.
                return .open
            }
        }
        return JobFeed(attachment)
    }
}
