import NIOCore
import TestSupport

/// One WebSocket of a `ChatSockets`: chats one after the other.
///
/// It works on the bytes, on the event loop. A task per socket, as a real client would have, would cost the machine more
/// than the server under test does.
final class ChatSocketHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Chats to be had.
    struct Work {
        let order: ChatOrder
        var chatsLeft: Int
        let report: @Sendable (ChatOutcome) -> Void
        let done: EventLoopPromise<Void>
    }

    private let opened: EventLoopPromise<Void>
    private var context: ChannelHandlerContext?
    private var frames = ServerFrameReader()
    private var isOpen = false
    private var hasEnded = false
    private var work: Work?
    private var chat: ChatProgress?

    init(opened: EventLoopPromise<Void>) {
        self.opened = opened
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.fail("the connection was closed, or it took too long")
    }

    func channelActive(context: ChannelHandlerContext) {
        let request =
            "GET /api/v1/chat/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cGVuZ3Vpbi1iZW5jaC0xMg==\r\n\r\n"
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
    }

    /// Starts the first chat; the others follow by themselves.
    func begin(_ work: Work) {
        guard let context, self.isOpen, self.work == nil else {
            return work.done.fail(BenchFailure("a WebSocket that is closed or busy"))
        }
        self.work = work
        self.sendNext(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.frames.append(self.unwrapInboundIn(data))
        do {
            if !self.isOpen {
                guard let head = self.frames.readHead() else { return }
                guard head.hasPrefix("HTTP/1.1 101 ") else {
                    throw BenchFailure("no upgrade: \(head.prefix { $0 != "\r\n" })")
                }
                self.isOpen = true
                self.opened.succeed()
            }
            while let frame = try self.frames.next() { self.take(frame, context) }
        } catch {
            self.errorCaught(context: context, error: error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.fail("\(error)")
        context.close(promise: nil)
    }

    private func take(_ frame: ServerFrameReader.Frame, _ context: ChannelHandlerContext) {
        switch frame {
        case .message(let payload):
            guard let outcome = payload.withUnsafeReadableBytes({ self.chat?.take($0) }) else { return }
            self.chat = nil
            self.work?.report(outcome)
            self.sendNext(context)
        case .ping(let payload): self.write(opcode: 10, payload, context)
        case .close: context.close(promise: nil)
        case .other: break
        }
    }

    private func sendNext(_ context: ChannelHandlerContext) {
        guard var work = self.work else { return }
        guard work.chatsLeft > 0 else {
            self.work = nil
            return work.done.succeed()
        }
        work.chatsLeft -= 1
        self.work = work
        self.chat = ChatProgress(work.order, sentAt: .now)
        self.write(opcode: 1, ByteBuffer(string: #"{"text":"\#(work.order.prompt)"}"#), context)
    }

    /// Writes a frame of up to 64 KiB.
    ///
    /// Its mask is zero, which is allowed and leaves the payload as it is.
    private func write(opcode: UInt8, _ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        var frame = context.channel.allocator.buffer(capacity: payload.readableBytes + 8)
        frame.writeInteger(0x80 | opcode)
        if payload.readableBytes < 126 {
            frame.writeInteger(0x80 | UInt8(payload.readableBytes))
        } else {
            frame.writeInteger(UInt8(0x80 | 126))
            frame.writeInteger(UInt16(payload.readableBytes))
        }
        frame.writeInteger(UInt32(0))
        frame.writeImmutableBuffer(payload)
        context.writeAndFlush(self.wrapOutboundOut(frame), promise: nil)
    }

    private func fail(_ reason: String) {
        guard !self.hasEnded else { return }
        self.hasEnded = true
        if !self.isOpen { self.opened.fail(BenchFailure("WebSocket: \(reason)")) }
        if let outcome = self.chat?.abandon(reason) { self.work?.report(outcome) }
        self.chat = nil
        self.work?.done.succeed()
        self.work = nil
        self.isOpen = false
    }
}
