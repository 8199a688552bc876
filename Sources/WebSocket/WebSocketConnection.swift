// HTTP/1.1 upgrade, frames, ping, close: the room of WebSockets, which knows no Penguin.

package import HTTPTypes
package import NIOCore
import Synchronization

/// One open socket, of a server or a client.
///
/// Read `messages` from one task; send and close from any. The frames themselves are `WebSocketHandler`'s business.
package final class WebSocketConnection: Sendable {
    private struct State {
        /// Nil while open; then what the first Close frame said, of either side, or `abnormal`.
        var closeCode: WebSocketCloseCode?
        var isEnded = false
        var endWaiters: [CheckedContinuation<Void, Never>] = []
    }

    /// The request that was upgraded.
    package let request: HTTPRequest
    /// The peer's IP address; nil on a unix socket.
    package let remoteAddress: String?
    let outbox: WebSocketOutbox
    let inbox: WebSocketInbox
    private let configuration: WebSocketConfiguration
    private let compression: Compression?
    private let channel: any Channel
    private let handler: NIOLoopBoundBox<WebSocketHandler?>
    private let state = Mutex(State())

    /// How outbound messages are compressed.
    struct Compression: Sendable {
        let pool: CompressionPool
        let windowBits: Int
    }

    init(
        request: HTTPRequest,
        channel: any Channel,
        configuration: WebSocketConfiguration,
        compression: Compression?,
        handler: NIOLoopBoundBox<WebSocketHandler?>,
        masks: Bool
    ) {
        self.request = request
        self.remoteAddress = channel.remoteAddress?.ipAddress
        self.channel = channel
        self.configuration = configuration
        self.compression = compression
        self.handler = handler
        self.outbox = WebSocketOutbox(bytesMax: configuration.unsentBytesMax, masks: masks)
        self.inbox = WebSocketInbox(
            bytesMax: configuration.unreadBytesMax,
            messagesMax: configuration.unreadMessagesMax
        ) { [eventLoop = channel.eventLoop] in
            eventLoop.execute { handler.value?.readerCaughtUp() }
        }
    }

    /// Inbound messages, complete and validated; ends when the socket closes.
    ///
    /// For one reader.
    package var messages: WebSocketMessages { WebSocketMessages(inbox: self.inbox) }

    /// Bytes accepted by `send` that the kernel has not taken yet: how far the peer lags.
    package var unsentBytes: Int { self.outbox.unsentBytes }

    /// Whether `send` would take a message without waiting.
    package var isWritable: Bool { self.outbox.isWritable }

    /// Why the socket was closed: nil while it is open, the code of the first Close frame after, or 1005 or 1006.
    package var closeCode: WebSocketCloseCode? { self.state.withLock { $0.closeCode } }

    /// Sends one text message, which must be UTF-8; suspends while the peer lags by `unsentBytesMax`.
    ///
    /// Throws `WebSocketError` with `.closed` when the socket is closed, `CancellationError` when cancelled in the wait.
    package func send(text: ByteBuffer) async throws {
        try await self.send(self.frame(.text, text))
    }

    /// Sends one binary message; waits and throws like `send(text:)`.
    package func send(binary: ByteBuffer) async throws {
        try await self.send(self.frame(.binary, binary))
    }

    /// Sends many text messages with one flush; waits and throws like `send(text:)`, before the first of them.
    package func send(texts: [ByteBuffer]) async throws {
        let frames = texts.map { self.frame(.text, $0) }
        while try await !self.accepted(self.outbox.offer(frames)) {}
    }

    /// Sends a Close frame after everything sent before, waits at most `closeTimeout` for the peer's, closes TCP.
    ///
    /// The reason is cut to 123 bytes. Without effect on a closed socket; on one that is closing it waits for the end.
    package func close(code: WebSocketCloseCode, reason: String = "") async {
        self.channel.eventLoop.execute { self.handler.value?.close(code: code, reason: reason) }
        await self.waitForEnd()
    }

    var eventLoop: any EventLoop { self.channel.eventLoop }

    /// Drops the TCP connection without a Close frame.
    func abort() {
        self.channel.close(promise: nil)
    }

    /// Returns when the TCP connection is closed.
    func waitForEnd() async {
        await withCheckedContinuation { continuation in
            let isEnded = self.state.withLock { state in
                if !state.isEnded { state.endWaiters.append(continuation) }
                return state.isEnded
            }
            if isEnded { continuation.resume() }
        }
    }

    /// Called by the handler with the first Close frame of either side: nothing more is received.
    func closing(with code: WebSocketCloseCode) {
        self.state.withLock { state in
            state.closeCode = state.closeCode ?? code
        }
        self.inbox.finish()
    }

    /// Called by the handler when the TCP connection is closed.
    func ended() {
        self.closing(with: .abnormal)
        self.outbox.end()
        let waiters = self.state.withLock { state in
            state.isEnded = true
            defer { state.endWaiters = [] }
            return state.endWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func send(_ frame: WebSocketOutbox.Frame) async throws {
        while try await !self.accepted(self.outbox.offer(frame)) {}
    }

    /// Acts on the answer; false when the frames have to be offered again.
    private func accepted(_ offer: WebSocketOutbox.Offer) async throws -> Bool {
        switch offer {
        case .taken(let flush):
            if flush { self.channel.eventLoop.execute { self.handler.value?.flush() } }
            return true
        case .full:
            await self.outbox.waitForRoom()
            try Task.checkCancellation()
            return false
        case .closed:
            throw WebSocketError(.closed, "the WebSocket is closed")
        }
    }

    /// Compresses on the sender's task, not on the event loop.
    private func frame(_ opcode: FrameOpcode, _ payload: ByteBuffer) -> WebSocketOutbox.Frame {
        guard let compression, payload.readableBytes >= self.configuration.compressedMessageBytesMin,
            let compressed = compression.pool.compress(payload, windowBits: compression.windowBits)
        else { return WebSocketOutbox.Frame(opcode: opcode, payload: payload) }
        return WebSocketOutbox.Frame(opcode: opcode, payload: compressed, isCompressed: true)
    }
}
