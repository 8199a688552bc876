import HTTPTypes
import NIOCore

/// Speaks the protocol on the event loop: bytes in, messages and answers out.
///
/// It is the last handler of its pipeline; the connection object is what tasks see of it. RFC 6455.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Role {
        case server
        case client
    }

    enum Phase {
        case open
        /// The peer has closed or failed the connection; the reader may still answer what came before.
        case settling
        /// Our Close frame is out, the peer's is awaited; data is read and dropped.
        case closeSent
        /// Nothing more to say: only the end of the TCP connection is awaited, input is thrown away.
        case lingering
        case closed
    }

    /// Answers to pings that the peer may leave untaken before it is no longer read.
    static let unsentPongBytesMax = 65_536

    let role: Role
    let configuration: WebSocketConfiguration
    let connection: WebSocketConnection
    var phase = Phase.open
    /// Set while the handler is in a pipeline.
    var context: ChannelHandlerContext?
    /// Whether the peer has closed its side of the TCP connection.
    var isInputClosed = false
    var liveness = Liveness()
    /// The Close frame that ends `settling`.
    var settlement: (answer: ClosePayload, code: WebSocketCloseCode)?
    var settlingTimer: Scheduled<Void>?
    var closeTimer: Scheduled<Void>?
    var writeTimer: Scheduled<Void>?
    /// Bytes written to the channel so far.
    var bytesWritten = 0

    private let rules: FrameRules
    let box: NIOLoopBoundBox<WebSocketHandler?>
    private var assembler: MessageAssembler
    /// Bytes not looked at yet: part of a header, or what the reader has no room for.
    private var input = ByteBuffer()
    private var frame: FrameHeader?
    /// Bytes of the frame's payload already taken.
    private var frameOffset = 0
    private var controlPayload = ByteBuffer()
    private var isReaderFull = false
    /// Whether the channel wanted to read while it might not.
    private var isReadHeld = false

    /// On the channel's event loop; add it to the pipeline next.
    init(
        role: Role,
        request: HTTPRequest,
        channel: any Channel,
        configuration: WebSocketConfiguration,
        agreement: DeflateAgreement?,
        pool: CompressionPool
    ) {
        self.role = role
        self.configuration = configuration
        self.box = NIOLoopBoundBox(nil, eventLoop: channel.eventLoop)
        self.rules = FrameRules(
            peerMasks: role == .server,
            allowsCompression: agreement != nil,
            frameBytesMax: configuration.frameBytesMax
        )
        self.assembler = MessageAssembler(messageBytesMax: configuration.messageBytesMax, pool: pool)
        self.connection = WebSocketConnection(
            request: request,
            channel: channel,
            configuration: configuration,
            compression: agreement.map { .init(pool: pool, windowBits: $0.windowBits) },
            handler: self.box,
            masks: role == .client
        )
        self.box.value = self
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.schedulePing()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.end()
        self.context = nil
        self.box.value = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            self.close(code: .goingAway, reason: "server is shutting down")
        case ChannelEvent.inputClosed:
            self.isInputClosed = true
            self.parse()
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.liveness.heard()
        guard self.phase == .open || self.phase == .closeSent else { return }
        var bytes = Self.unwrapInboundIn(data)
        if self.input.readableBytes == 0 {
            self.input = bytes
        } else {
            self.input.discardReadBytes()
            self.input.writeBuffer(&bytes)
        }
        self.parse()
    }

    func read(context: ChannelHandlerContext) {
        if self.mayParse {
            context.read()
        } else {
            self.isReadHeld = true
        }
    }

    /// The reader has room again.
    func readerCaughtUp() {
        self.isReaderFull = false
        self.resumeReading()
    }

    /// Goes on with what was held back, if it may.
    func resumeReading() {
        guard self.mayParse else { return }
        self.parse()
        guard self.mayParse, self.isReadHeld else { return }
        self.isReadHeld = false
        self.context?.read()
    }

    /// Whether input is held back because somebody lags: then silence says nothing about the peer.
    var isHoldingInput: Bool { !self.mayParse && !self.isInputClosed }

    private var mayParse: Bool {
        guard self.phase == .open else { return true }
        return !self.isReaderFull && self.connection.outbox.unsentPongBytes <= Self.unsentPongBytesMax
    }

    private func parse() {
        do {
            while self.phase == .open || self.phase == .closeSent, self.mayParse, try self.step() {}
        } catch {
            self.fail(error)
        }
        self.shrinkInput()
        self.flush()
        if self.isInputClosed, self.mayParse { self.inputEnded() }
    }

    /// Keeps no large buffer for the few bytes of an incomplete header.
    private func shrinkInput() {
        if self.phase == .settling || self.phase == .lingering || self.input.readableBytes == 0 {
            self.input = ByteBuffer()
        } else if self.input.readableBytes < 16, self.input.capacity > 64 {
            self.input = ByteBuffer(bytes: self.input.readableBytesView)
        }
    }

    /// Takes a header, or some bytes of a payload; false when more has to arrive.
    private func step() throws(WebSocketFailure) -> Bool {
        guard let frame = self.frame else {
            guard let header = try FrameHeader.read(from: &self.input, rules: self.rules) else { return false }
            if !header.opcode.isControl { try self.assembler.begin(header) }
            guard header.payloadBytes > 0 else {
                try self.finish(header)
                return true
            }
            self.frame = header
            self.frameOffset = 0
            return true
        }
        let wanted = min(frame.payloadBytes - self.frameOffset, self.input.readableBytes)
        guard wanted > 0, let piece = self.input.readSlice(length: wanted) else { return false }
        try self.take(piece, of: frame)
        self.frameOffset += wanted
        if self.frameOffset == frame.payloadBytes {
            self.frame = nil
            try self.finish(frame)
        }
        return true
    }

    private func take(_ piece: ByteBuffer, of frame: FrameHeader) throws(WebSocketFailure) {
        guard frame.opcode.isControl else {
            return try self.assembler.append(piece, mask: frame.mask, offset: self.frameOffset)
        }
        let start = self.controlPayload.writerIndex
        self.controlPayload.writeImmutableBuffer(piece)
        if let mask = frame.mask {
            self.controlPayload.withBytes(from: start) { mask.apply(to: $0, offset: self.frameOffset) }
        }
    }

    private func finish(_ frame: FrameHeader) throws(WebSocketFailure) {
        if frame.opcode.isControl {
            var payload = ByteBuffer()
            swap(&payload, &self.controlPayload)
            try self.receive(frame.opcode, payload)
        } else if let message = try self.assembler.end(frame), self.phase == .open {
            self.isReaderFull = !self.connection.inbox.deliver(message)
        }
    }

    private func receive(_ opcode: FrameOpcode, _ payload: ByteBuffer) throws(WebSocketFailure) {
        switch opcode {
        case .ping where self.phase == .open:
            self.connection.outbox.push(.pong, payload)
        case .close:
            try self.receiveClose(ClosePayload(payload))
        default:
            break  // A pong needs no answer; that it came has been noted.
        }
    }
}
