import Crypto
package import Domain
import Foundation
package import Store

extension JobQueue {
    /// Submits the children of a step and lets their parent wait for them, without a slot.
    ///
    /// The parent is claimed again when the last child has ended. `.fenced` when its lease is gone, `.conflict` when a child
    /// would wait for its own parent.
    package func wait(
        _ lease: Lease,
        for children: [NewJob],
        onFailure policy: ChildFailurePolicy,
        prepare: @escaping @Sendable (any SQLConnection) throws -> Void = { _ in }
    ) async throws(QueueError) {
        do {
            try await self.database.write(.durable) { connection in
                try prepare(connection)
                try Ledger(connection).wait(lease.id, epoch: lease.epoch, for: children, onFailure: policy)
            }
        } catch {
            throw QueueError(error)
        }
        self.dispatcher.noteBacklog()
        // The cancel that came while it ran has not seen these children.
        await self.cancelIfAsked(lease)
    }

    /// The children of a job in the order in which it made them.
    package func children(of id: JobID) async throws(QueueError) -> [Job] {
        do {
            return try await self.database.read { try Ledger($0).children(of: id) }
        } catch {
            throw QueueError(error)
        }
    }
}

extension JobID {
    /// The id of a child: the same for the same parent, step and index, so that a parent that runs again finds its
    /// children instead of making new ones.
    ///
    /// A UUIDv7 with its parent's time; the rest is a hash.
    package static func child(of parent: JobID, step: Int, index: Int) -> JobID {
        let hash = SHA256.hash(data: Data("\(parent):\(step):\(index)".utf8))
        let hashed = hash.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
        let time = parent.rawValue.dropFirst(JobSubject.prefix.count).prefix(12)
        let uuid = "\(time)7\(hashed.prefix(3))8\(hashed.dropFirst(3).prefix(15))"
        return JobID(rawValue: JobSubject.prefix + uuid)
    }
}
