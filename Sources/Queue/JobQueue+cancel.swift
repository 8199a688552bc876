import Logging
package import Domain
import Events
import NIOCore
package import Redis
package import Store

/// What workers are told over the control channel.
package enum WorkerOrder: Sendable, Equatable {
    /// Somebody wants the job ended.
    case cancel(JobID)
    /// The worker is to take no more jobs, and to end.
    case drain(WorkerID)

    init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        switch words.first {
        case "cancel" where words.count == 2: self = .cancel(JobID(rawValue: words[1]))
        case "drain" where words.count == 2: self = .drain(WorkerID(rawValue: words[1]))
        default: return nil
        }
    }

    var text: String {
        switch self {
        case .cancel(let job): "cancel \(job)"
        case .drain(let worker): "drain \(worker)"
        }
    }
}

extension JobQueue {
    /// Asks for the end of a job and of its children.
    ///
    /// What does not run is cancelled in this call. What runs is told to its worker, at once by the control channel and at
    /// the latest by its next heartbeat; after `cancelGrace` the worker is shut out.
    package func cancel(_ id: JobID, of tenant: TenantID) async throws(QueueError) -> CancelResult {
        let result: CancelResult
        let open: [Job]
        do {
            open = try await self.database.read { connection in
                let ledger = Ledger(connection)
                guard let job = try ledger.job(id, of: tenant) else { throw StoreError(.notFound, "no job \(id)") }
                return try ledger.openTree(under: id) + [job]
            }
            let kept = await self.partialAnswers(of: open)
            result = try await self.database.write(.durable) { connection in
                try Ledger(connection).cancel(id, of: tenant, keeping: kept)
            }
        } catch {
            throw QueueError(error)
        }
        guard case .cancelled(let tree) = result else { return result }
        await self.tell(tree)
        if let parent = open.last?.parentID, tree.ended.first?.id == id { await self.childFailed(of: parent) }
        return result
    }

    /// Tells everybody what a cancel has done.
    func tell(_ tree: CancelledTree) async {
        for job in tree.requested { await self.order(.cancel(job)) }
        for job in tree.ended { await self.announceFromLedger(job.id, at: job.announceAt) }
        if !tree.ended.isEmpty { self.dispatcher.noteQueued() }
    }

    /// A child has ended otherwise than completed: its siblings are cancelled if its parent waits and fails with it.
    func childFailed(of parent: JobID) async {
        do {
            let open = try await self.database.read { connection -> [Job] in
                let ledger = Ledger(connection)
                return try ledger.mustFailParent(of: parent) ? try ledger.openTree(under: parent) : []
            }
            guard !open.isEmpty else { return }
            let kept = await self.partialAnswers(of: open)
            let tree = try await self.database.write(.durable) { connection -> CancelledTree in
                let ledger = Ledger(connection)
                guard try ledger.mustFailParent(of: parent) else { return CancelledTree() }
                return try ledger.cancelChildren(of: parent, keeping: kept)
            }
            await self.tell(tree)
        } catch {
            // A reaper comes by.
            self.logger.debug("Siblings are not cancelled yet", metadata: [LogKeys.error: "\(error)"])
        }
    }

    /// Sends an order; a worker that does not hear it gets it with its heartbeat.
    func order(_ order: WorkerOrder) async {
        // The caller does not wait for a Redis that is away.
        guard self.redis.isConnected else { return }
        do {
            _ = try await self.redis.send(RedisCommand("PUBLISH", .string(self.keys.control), .string(order.text)))
        } catch {
            self.logger.debug("An order waits for the heartbeat", metadata: ["order": "\(order.text)"])
        }
    }

    /// Calls `obey` for each order to a worker, while the subscription lives.
    package func listenForOrders(
        on subscriber: RedisSubscriber,
        _ obey: @escaping @Sendable (WorkerOrder) -> Void
    ) async throws(RedisError) -> RedisSubscription {
        try await subscriber.subscribe(to: self.keys.control) { event in
            guard case .message(let bytes) = event, let order = WorkerOrder(String(buffer: bytes)) else { return }
            obey(order)
        }
    }

    /// Writes the terminal event of a job that ended without its worker.
    func announceFromLedger(_ id: JobID, at eventID: EventID) async {
        guard let job = try? await self.database.read({ try Ledger($0).job(id) }), job.state.isTerminal else { return }
        self.metrics.hasEnded(job.kind, job.state, startedAt: job.startedAt)
        // With Redis away a reaper does it later, and followers ask the ledger.
        guard self.redis.isConnected else { return }
        await self.announce(job, at: eventID, isShutOut: job.claims > 0)
    }
}
