package import Domain
import Events
package import NIOCore

/// An event of a job, as it goes to a client: the head parsed, the bytes as the worker wrote them.
package struct JobEvent: Sendable {
    package let id: EventID
    package let type: EventType
    package let bytes: ByteBuffer

    /// The data as it stands in the frame.
    package var data: ByteBufferView {
        EventFrame.data(of: self.bytes.readableBytesView) ?? self.bytes.readableBytesView
    }
}

/// A job's events from a cursor to the end: each once, in order, whatever is lost on the way.
///
/// Ends when it is let go.
package final class JobFeed: Sendable {
    package let jobID: JobID
    private let attachment: EventRelay.Attachment

    init(_ attachment: EventRelay.Attachment) {
        self.jobID = attachment.follower.job
        self.attachment = attachment
    }

    /// The next events; empty when none came within `limit`, nil after the terminal one.
    package func next(within limit: Duration? = nil) async -> [JobEvent]? {
        await self.attachment.follower.next(within: limit)?.map {
            JobEvent(id: $0.id, type: $0.type, bytes: $0.bytes)
        }
    }

    /// Ends the feed: `next` returns nil.
    package func stop() { self.attachment.follower.stop() }

    /// Reads on to the terminal event; nil when the feed was ended before it.
    package func end() async -> JobEvent? {
        while let events = await self.next() {
            if let last = events.last, last.type.isTerminal { return last }
        }
        return nil
    }
}
