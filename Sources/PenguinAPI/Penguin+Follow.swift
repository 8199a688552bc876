package import Domain
import Events
import Queue
import Store

extension Penguin {
    /// Follows a job of the tenant's from a cursor: every event after it, once and in order, to the terminal one.
    package func follow(
        _ id: JobID,
        after cursor: EventID,
        of tenant: TenantID
    ) async throws(PenguinError) -> JobFeed {
        _ = try await self.row(of: id, of: tenant)
        return await self.follow(id, after: cursor, isNew: false)
    }

    /// Whether a client with this cursor has seen everything there is, to the terminal event.
    package func hasShownEnd(
        of id: JobID,
        at cursor: EventID,
        of tenant: TenantID
    ) async throws(PenguinError) -> Bool {
        let job = try await self.row(of: id, of: tenant)
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
                return .open(start: nil)
            }
        }
        return JobFeed(attachment)
    }

    /// The job's row; `.notFound` when there is none or it is somebody else's.
    func row(of id: JobID, of tenant: TenantID) async throws(PenguinError) -> Job {
        let job: Job?
        do {
            job = try await self.database.read { try Ledger($0).job(id, of: tenant) }
        } catch {
            throw PenguinError(error)
        }
        guard let job else { throw PenguinError(noJob: id) }
        return job
    }
}
