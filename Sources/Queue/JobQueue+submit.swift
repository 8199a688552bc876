import Logging
package import Domain
import Events
import Redis
package import Store

extension JobQueue {
    /// How long a caller waits for a Redis that has no connection.
    private static let awayMax = Duration.milliseconds(500)

    /// Accepts a job: on disk when this returns, and on its way to a worker.
    ///
    /// `prepare` runs in the same transaction before the job is inserted (make the conversation, check that it may be
    /// used); what it throws is thrown and nothing is accepted. `attach` runs between the commit and the dispatch, so
    /// that a follower misses nothing. Redis may be away: the job is dispatched when it is back.
    package func submit<Attachment: Sendable>(
        _ new: NewJob,
        prepare: @escaping @Sendable (any SQLConnection) throws -> Void = { _ in },
        attach: () async -> Attachment
    ) async throws(QueueError) -> Attachment {
        let hasRoom = self.dispatcher.reserve()
        let state: JobState
        do {
            state = try await self.database.write(.durable) { connection in
                try prepare(connection)
                return try Ledger(connection).submit(new, hasRoom: hasRoom)
            }
        } catch {
            if hasRoom { self.dispatcher.unreserve() }
            throw QueueError(error)
        }
        if hasRoom, state != .dispatched { self.dispatcher.unreserve() }
        let attachment = await attach()
        await self.put(new, isDispatched: state == .dispatched)
        return attachment
    }

    /// Makes the job's log, and puts the job on its stream if it is dispatched.
    private func put(_ new: NewJob, isDispatched: Bool) async {
        do {
            let start = try new.startFrame()
            var commands = [self.log.creation(of: new.id, start: start)]
            if isDispatched {
                commands.append(self.streams.addition(of: Dispatch(id: new.id, priority: new.priority)))
            }
            // The caller waits: with Redis away it is told soon, and the dispatcher does it later.
            let limit = self.redis.isConnected ? nil : Self.awayMax
            for case .failure(let error) in try await self.redis.send(batch: commands, timeout: limit) {
                // A worker that was quicker has made the log already.
                if !error.isIDTooLow { throw error }
            }
        } catch {
            // It is accepted all the same: the dispatcher puts it on its stream when Redis is back.
            self.logger.warning(
                "Redis did not take a job, it will be dispatched later",
                metadata: [LogKeys.job: "\(new.id)", LogKeys.error: "\(error)"]
            )
        }
        if !isDispatched { self.dispatcher.noteQueued() }
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
            agent: self.agentID
        )
    }
}
