import Domain
import HTTPTypes
import Hummingbird
import NIOCore
import PenguinAPI
import ServiceLifecycle

/// A job's events as server-sent events: `id`, `event`, `data`, every type, to the terminal one.
///
/// Something is sent every 15 s, so that no proxy takes the silence for an end. WHATWG HTML: Server-sent events.
enum EventStreamResponse {
    private static let keepAlive = Duration.seconds(15)

    static func make(_ feed: JobFeed, for request: Request) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache, no-transform",
                .accelBuffering: "no",
            ],
            body: ResponseBody { writer in
                // A client that goes away ends the task, also while nothing happens.
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    while let events = await Self.next(of: feed) {
                        try await writer.write(Self.text(of: events))
                    }
                }
                try await writer.finish(nil)
            }
        )
    }

    /// The next events; nil at the end, also at this server's: the client comes back with its cursor.
    private static func next(of feed: JobFeed) async -> [JobEvent]? {
        await withGracefulShutdownHandler {
            await feed.next(within: Self.keepAlive)
        } onGracefulShutdown: {
            feed.stop()
        }
    }

    private static func text(of events: [JobEvent]) -> ByteBuffer {
        guard !events.isEmpty else { return ByteBuffer(string: ": still here\n\n") }
        var text = ByteBuffer()
        for event in events {
            text.writeString("id: \(event.id)\nevent: \(event.type.rawValue)\ndata: ")
            text.writeBytes(event.data)
            text.writeString("\n\n")
        }
        return text
    }
}
