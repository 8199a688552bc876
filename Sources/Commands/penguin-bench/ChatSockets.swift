import NIOCore
import NIOPosix

/// Open WebSockets on `/api/v1/chat/stream`, one per chat.
struct ChatSockets: Sendable {
    private struct Socket: Sendable {
        let channel: any Channel
        let handler: NIOLoopBound<ChatSocketHandler>
        let opened: EventLoopFuture<Void>
    }

    /// Sockets that are on their way at once.
    private static let openingMax = 32

    private let sockets: [Socket]
    private let group: MultiThreadedEventLoopGroup

    /// Opens so many sockets to Penguin; everything runs on the group's one thread.
    static func open(_ count: Int, port: Int, on group: MultiThreadedEventLoopGroup) async throws -> ChatSockets {
        var sockets: [Socket] = []
        do {
            while sockets.count < count {
                let batch = sockets.count..<min(count, sockets.count + self.openingMax)
                for _ in batch { sockets.append(try await self.connect(port: port, on: group)) }
                for socket in sockets[batch] { try await socket.opened.get() }
            }
        } catch {
            for socket in sockets { socket.channel.close(promise: nil) }
            throw error
        }
        return ChatSockets(sockets: sockets, group: group)
    }

    /// Has `rounds` chats on every socket, all sockets at once; after `limit` what is not there counts as missing.
    func run(_ order: ChatOrder, rounds: Int = 1, limit: Duration = .seconds(60)) async throws -> ChatRun {
        let outcomes = Collected<ChatOutcome>()
        let promises = self.sockets.map { $0.channel.eventLoop.makePromise(of: Void.self) }
        let timer = self.group.any().scheduleTask(in: TimeAmount(limit)) { self.abort() }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            let began = Moment.now
            for (socket, promise) in zip(self.sockets, promises) {
                socket.channel.eventLoop.execute {
                    socket.handler.value.begin(
                        .init(order: order, chatsLeft: rounds, report: { outcomes.add($0) }, done: promise)
                    )
                }
            }
            for promise in promises { try await promise.futureResult.get() }
            let ended = Moment.now
            try Task.checkCancellation()
            return ChatRun(span: HTTPLoad.Span(began: began, ended: ended), outcomes: outcomes.all)
        } onCancel: {
            self.abort()
        }
    }

    /// Closes the connections.
    func close() async {
        for socket in self.sockets {
            // Closed already is as good.
            try? await socket.channel.close()
        }
    }

    private func abort() {
        for socket in self.sockets { socket.channel.close(promise: nil) }
    }

    private static func connect(port: Int, on group: MultiThreadedEventLoopGroup) async throws -> Socket {
        try await ClientBootstrap(group: group)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(.seconds(5))
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let opened = channel.eventLoop.makePromise(of: Void.self)
                    let handler = ChatSocketHandler(opened: opened)
                    try channel.pipeline.syncOperations.addHandler(handler)
                    let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
                    return Socket(channel: channel, handler: bound, opened: opened.futureResult)
                }
            }
    }
}
