import NIOCore
import NIOPosix
import TestSupport

/// Keep-alive connections, each of which sends the next request when it has the answer to the one before.
struct HTTPLoad: Sendable {
    /// Everything runs on this one thread, so that the client takes one core at most.
    let group: MultiThreadedEventLoopGroup
    let port: Int
    let connections: Int
    /// After this the connections are closed and `run` throws.
    var limit = Duration.seconds(120)

    /// When the first request was sent and the last reply was complete.
    struct Span: Sendable {
        let began: Moment
        let ended: Moment

        var seconds: Double { self.ended.seconds(since: self.began) }
    }

    /// Opens the connections, then runs until `next` answers nil on each of them.
    ///
    /// Both closures are called on the event loop. Throws when a connection fails.
    func run(
        next: @escaping @Sendable () -> ByteBuffer?,
        reply: @escaping @Sendable (HTTPReply) -> Void
    ) async throws -> Span {
        var lanes: [Lane] = []
        do {
            for _ in 0..<self.connections { lanes.append(try await self.open(next: next, reply: reply)) }
        } catch {
            for lane in lanes { lane.channel.close(promise: nil) }
            throw error
        }
        return try await self.drive(lanes)
    }

    /// One request on a connection of its own.
    func ask(_ request: ByteBuffer) async throws -> HTTPReply {
        let single = HTTPLoad(group: self.group, port: self.port, connections: 1, limit: self.limit)
        let requests = Countdown(1)
        let replies = Collected<HTTPReply>()
        _ = try await single.run(next: { requests.take() ? request : nil }, reply: { replies.add($0) })
        guard let reply = replies.all.first else { throw BenchFailure("no reply from port \(self.port)") }
        return reply
    }

    private struct Lane: Sendable {
        let channel: any Channel
        let handler: NIOLoopBound<HTTPLoadHandler>
        let done: EventLoopFuture<Void>
    }

    private func open(
        next: @escaping @Sendable () -> ByteBuffer?,
        reply: @escaping @Sendable (HTTPReply) -> Void
    ) async throws -> Lane {
        try await ClientBootstrap(group: self.group)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(.seconds(5))
            .connect(host: "127.0.0.1", port: self.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let done = channel.eventLoop.makePromise(of: Void.self)
                    let handler = HTTPLoadHandler(next: next, reply: reply, done: done)
                    try channel.pipeline.syncOperations.addHandler(handler)
                    let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
                    return Lane(channel: channel, handler: bound, done: done.futureResult)
                }
            }
    }

    private func drive(_ lanes: [Lane]) async throws -> Span {
        let timer = self.group.any().scheduleTask(in: TimeAmount(self.limit)) {
            for lane in lanes { lane.channel.close(promise: nil) }
        }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            let began = Moment.now
            for lane in lanes { lane.channel.eventLoop.execute { lane.handler.value.begin() } }
            var failure: (any Error)?
            for lane in lanes {
                do { try await lane.done.get() } catch { failure = failure ?? error }
            }
            let ended = Moment.now
            if let failure { throw failure }
            return Span(began: began, ended: ended)
        } onCancel: {
            for lane in lanes { lane.channel.close(promise: nil) }
        }
    }
}
