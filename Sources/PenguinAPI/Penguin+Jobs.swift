public import Domain
import Queue
import Store

extension Penguin {
    /// A page of the tenant's jobs, newest first.
    public func jobs(
        _ query: JobQuery = JobQuery(),
        of tenant: TenantID = .default
    ) async throws(PenguinError) -> JobPage {
        // One more than is shown, which tells whether there is a next page.
        let page = try await self.read {
            try $0.list(query.filter, of: tenant, before: query.cursor, limit: query.limit + 1)
        }
        let shown = page.items.prefix(query.limit)
        return JobPage(
            jobs: shown.map { JobView($0) },
            total: page.total,
            nextCursor: page.items.count > query.limit ? shown.last?.id : nil
        )
    }

    /// The job with all that is known of it; `.notFound` when there is none or it is somebody else's.
    public func job(_ id: JobID, of tenant: TenantID = .default) async throws(PenguinError) -> JobView {
        let view = try await self.read { ledger in
            try ledger.job(id, of: tenant).map { try JobView($0, from: ledger) }
        }
        guard let view else { throw PenguinError(noJob: id) }
        return view
    }

    /// Asks for the end of a job and returns it as it is then; it has ended already, ends now, or ends soon.
    public func cancel(_ id: JobID, of tenant: TenantID = .default) async throws(PenguinError) -> JobView {
        do {
            _ = try await self.queue.cancel(id, of: tenant)
        } catch {
            throw PenguinError(error, of: id)
        }
        return try await self.job(id, of: tenant)
    }

    /// Has a failed or dead job done once more and returns it as it is then; `.conflict` when it is in another state.
    public func retry(_ id: JobID, of tenant: TenantID = .default) async throws(PenguinError) -> JobView {
        let isRetried: Bool
        do {
            isRetried = try await self.queue.redrive(id, of: tenant)
        } catch {
            throw PenguinError(error, of: id)
        }
        let job = try await self.job(id, of: tenant)
        guard isRetried else {
            throw PenguinError(
                .conflict,
                "The job is \(job.state.rawValue); only a failed or dead job can be tried once more."
            )
        }
        return job
    }

    /// Has the tenant's failed and dead jobs that pass the filter done once more, oldest first, at most `limit`.
    ///
    /// One after the other, so that messages of a conversation keep their order. Throws when the first cannot be put
    /// back; what happens later leaves the rest as it is.
    public func retry(
        matching filter: JobFilter,
        limit: Int = 1000,
        of tenant: TenantID = .default
    ) async throws(PenguinError) -> RetriedJobs {
        let found = try await self.read { try $0.retriable(filter, of: tenant, limit: limit) }
        var retried: [JobID] = []
        for id in found.items {
            do {
                if try await self.queue.redrive(id, of: tenant) { retried.append(id) }
            } catch  where error.code == .notFound {
                // Removed meanwhile.
            } catch {
                guard retried.isEmpty else { break }
                throw PenguinError(error, of: id)
            }
        }
        return RetriedJobs(retried: retried.count, jobs: retried, remaining: max(0, found.total - retried.count))
    }

    /// Removes an ended job with its events and children; `.conflict` while it, or a job under it, is open.
    public func delete(_ id: JobID, of tenant: TenantID = .default) async throws(PenguinError) {
        let isGone: Bool
        do {
            isGone = try await self.queue.delete(id, of: tenant)
        } catch {
            throw PenguinError(error, of: id)
        }
        guard !isGone else { return }
        let state = try await self.job(id, of: tenant).state
        let problem = state.isTerminal ? "A job under this one has not ended" : "The job is \(state.rawValue)"
        throw PenguinError(.conflict, "\(problem); only what has ended can be removed. Cancel it first.")
    }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (Ledger) throws -> Value
    ) async throws(PenguinError) -> Value {
        do {
            return try await self.database.read { try body(Ledger($0)) }
        } catch {
            throw PenguinError(error)
        }
    }
}

extension PenguinError {
    init(noJob id: JobID) {
        self.init(.notFound, "There is no job '\(id)'.")
    }

    /// What became of a call about a job.
    init(_ error: QueueError, of id: JobID) {
        if error.code == .notFound { self.init(noJob: id) } else { self.init(error) }
    }
}
