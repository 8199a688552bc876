import Logging
package import Domain
import Events
import Redis
package import Store

/// A job that was accepted, or found again by its idempotency key.
package struct Accepted<Attachment: Sendable>: Sendable {
    package let jobID: JobID
    /// Whether an earlier request with the same key and body made the job.
    package let isReplay: Bool
    package let attachment: Attachment
}

extension JobQueue {
    /// How long a caller waits for a Redis that has no connection.
    private static let awayMax = Duration.milliseconds(500)

    /// Accepts a job: on disk when this returns, and on its way to a worker.
    ///
    /// `prepare` runs in the same transaction before the job is inserted (make the conversation, check that it may be
    /// used); what it throws is thrown and nothing is accepted. `attach` runs between the commit and the dispatch, so
    /// that a follower misses nothing. Redis may be away: the job is dispatched when it is back. Throws `.tooMany` and
    /// `.refused` over a cap, `.keyReused` when the idempotency key belongs to another request.
    package func submit<Attachment: Sendable>(
        _ new: NewJob,
        prepare: @escaping @Sendable (any SQLConnection) throws -> Void = { _ in },
        attach: (JobID) async -> Attachment
    ) async throws(QueueError) -> Accepted<Attachment> {
        if let earlier = try await self.earlier(than: new) {
            return Accepted(jobID: earlier, isReplay: true, attachment: await attach(earlier))
        }
        try await self.admission.admit(new.tenant)
        let hasRoom = new.runAt == nil && self.dispatcher.reserve(for: new.tenant)
        let submission: Submission
        do {
            let laneMax = self.configuration.laneMax
            submission = try await self.database.write(.durable) { connection in
                let ledger = Ledger(connection)
                if let earlier = try ledger.earlier(than: new) { return earlier }
                try prepare(connection)
                return try ledger.submit(new, hasRoom: hasRoom, laneMax: laneMax)
            }
        } catch {
            if hasRoom { self.dispatcher.unreserve() }
            throw QueueError(error)
        }
        if hasRoom, submission != .accepted(.dispatched) { self.dispatcher.unreserve() }
        switch submission {
        case .keyReused:
            throw QueueError(.keyReused, "The idempotency key was used for another request in the last 24 hours.")
        case .laneFull:
            self.metrics.wasRefused("lane")
            let most = self.configuration.laneMax
            throw QueueError(
                .tooMany,
                "\(most) messages of this conversation wait already, which is the most.",
                retryAfter: self.admission.wait(for: 1)
            )
        case .replayed(let id): return Accepted(jobID: id, isReplay: true, attachment: await attach(id))
        case .accepted(let state):
            self.metrics.wasSubmitted(new.kind)
            let attachment = await attach(new.id)
            await self.start(new, in: state, hadRoom: hasRoom)
            return Accepted(jobID: new.id, isReplay: false, attachment: attachment)
        }
    }

    /// The job of an earlier request with the same key, which no cap refuses.
    private func earlier(than new: NewJob) async throws(QueueError) -> JobID? {
        guard new.idempotency != nil else { return nil }
        do {
            let earlier = try await self.database.read { try Ledger($0).earlier(than: new) }
            guard case .replayed(let id) = earlier else { return nil }
            return id
        } catch {
            throw QueueError(error)
        }
    }

    /// Brings an accepted job on its way.
    private func start(_ new: NewJob, in state: JobState, hadRoom: Bool) async {
        switch state {
        case .dispatched: await self.put(Dispatch(id: new.id, priority: new.priority))
        case .scheduled: self.dispatcher.noteScheduled(after: (new.runAt ?? .now) - .now)
        // With a place reserved it waits for its lane; the end of the job before it sets it free.
        case _ where !hadRoom: self.dispatcher.noteBacklog()
        default: break
        }
    }

    /// Puts a job on its stream.
    private func put(_ dispatch: Dispatch) async {
        do {
            // The caller waits: with Redis away it is told soon, and the dispatcher does it later.
            let limit = self.redis.isConnected ? nil : Self.awayMax
            _ = try await self.redis.send(self.streams.addition(of: dispatch), timeout: limit)
        } catch {
            // It is accepted all the same: the dispatcher puts it on its stream when Redis is back.
            self.logger.warning(
                "Redis did not take a job, it will be dispatched later",
                metadata: [LogKeys.job: "\(dispatch.id)", LogKeys.error: "\(error)"]
            )
        }
    }
}

extension NewJob {
    /// The first event of the job's log.
    package func startFrame() throws -> EventFrame {
        try EventFrame.start(
            of: self.id,
            kind: self.kind,
            payload: self.payload,
            conversation: self.conversationID,
            agent: self.agentID,
            redrives: 0
        )
    }
}
