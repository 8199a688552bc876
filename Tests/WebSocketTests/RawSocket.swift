import NIOCore
import NIOPosix
import TestSupport
import Synchronization

/// A TCP connection that sends bytes made by hand and keeps what comes back.
final class RawSocket: Sendable {
    private struct Received {
        var bytes: ArraySlice<UInt8> = []
        var isEnded = false
    }

    let channel: any Channel
    private let received: SharedReceived

    private final class SharedReceived: Sendable {
        let state = Mutex(Received())
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let received: SharedReceived

        init(_ received: SharedReceived) {
            self.received = received
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = Self.unwrapInboundIn(data)
            self.received.state.withLock { $0.bytes.append(contentsOf: buffer.readableBytesView) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard case ChannelEvent.inputClosed = event else { return }
            self.received.state.withLock { $0.isEnded = true }
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.received.state.withLock { $0.isEnded = true }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    private init(channel: any Channel, received: SharedReceived) {
        self.channel = channel
        self.received = received
    }

    static func connect(port: Int, receiveBufferBytes: Int? = nil) async throws -> RawSocket {
        let received = SharedReceived()
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        if let receiveBufferBytes {
            let bytes = SocketOptionValue(receiveBufferBytes)
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: bytes)
        }
        let channel =
            try await bootstrap
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(received))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawSocket(channel: channel, received: received)
    }

    /// Connects and upgrades; the answer's head must be a 101.
    static func open(
        port: Int,
        path: String = "/echo",
        headers: [String] = [],
        following bytes: [UInt8] = [],
        receiveBufferBytes: Int? = nil
    ) async throws -> RawSocket {
        let socket = try await RawSocket.connect(port: port, receiveBufferBytes: receiveBufferBytes)
        try await socket.send(Array(Self.upgradeRequest(path: path, headers: headers).utf8) + bytes)
        let head = try await socket.head()
        guard head.hasPrefix("HTTP/1.1 101 ") else { throw NotInTime(description: "upgrade, but: \(head)") }
        return socket
    }

    static func upgradeRequest(
        path: String = "/echo",
        headers: [String] = [],
        key: String? = "dGhlIHNhbXBsZSBub25jZQ==",
        version: String = "13"
    ) -> String {
        var lines = ["GET \(path) HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"]
        lines.append("Sec-WebSocket-Version: \(version)")
        if let key { lines.append("Sec-WebSocket-Key: \(key)") }
        return (lines + headers).joined(separator: "\r\n") + "\r\n\r\n"
    }

    func send(_ bytes: [UInt8]) async throws {
        try await self.channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    func send(_ text: String) async throws {
        try await self.send(Array(text.utf8))
    }

    func send(_ frames: RawFrame...) async throws {
        try await self.send(frames.flatMap(\.bytes))
    }

    /// Everything that has come and was not taken.
    var bytes: [UInt8] { self.received.state.withLock { Array($0.bytes) } }

    var byteCount: Int { self.received.state.withLock { $0.bytes.count } }

    /// Whether the peer has closed its side.
    var isEnded: Bool { self.received.state.withLock { $0.isEnded } }

    /// The head of an HTTP response, up to its empty line.
    func head() async throws -> String {
        try await eventually("head of a response, have: \(String(decoding: self.bytes, as: UTF8.self))") {
            self.received.state.withLock { received in
                guard let end = Array(received.bytes).firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
                let head = received.bytes.prefix(end.upperBound)
                received.bytes = received.bytes.dropFirst(end.upperBound)
                return String(decoding: head, as: UTF8.self)
            }
        }
    }

    /// Some bytes of a body.
    func body(_ count: Int) async throws -> String {
        try await eventually("\(count) bytes of a body") {
            self.received.state.withLock { received in
                guard received.bytes.count >= count else { return nil }
                defer { received.bytes = received.bytes.dropFirst(count) }
                return String(decoding: received.bytes.prefix(count), as: UTF8.self)
            }
        }
    }

    func frame(within limit: Duration = .seconds(10)) async throws -> RawFrame {
        try await eventually("a frame, ended: \(self.isEnded)", within: limit) {
            try self.received.state.withLock { received in
                if let frame = RawFrame.read(from: &received.bytes) { return frame }
                guard !received.isEnded else { throw NotInTime(description: "a frame before the end") }
                return nil
            }
        }
    }

    /// Waits for the end of input.
    func ended(within limit: Duration = .seconds(10)) async throws {
        try await eventually("end of the connection", within: limit) { self.isEnded }
    }

    func close() async {
        try? await self.channel.close()
    }
}
