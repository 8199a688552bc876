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

    /// Whether a client with this cursor has seen everything there is, to the terminal event.
    package func hasShownEnd(
        of id: JobID,
        at cursor: EventID,
        of tenant: TenantID
    ) async throws(PenguinError) -> Bool {
        let job = try await self.job(id, of: tenant)
        do {
            let last = try await self.queue.log.last(of: id)
            return job.hasShownEnd(at: cursor, last: last.map { ($0.id, $0.type) })
        } catch {
            // Redis is away: the ledger tells the end again.
            return false
        }
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
