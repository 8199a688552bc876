#if os(Linux)
import Glibc
#endif
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Carries out an upgrade that the gate has accepted; one serves all connections of a server.
struct WebSocketUpgrader: NIOTypedHTTPServerProtocolUpgrader {
    typealias UpgradeResult = WebSocketServerChannel.Spoken

    let supportedProtocol = "websocket"
    let requiredUpgradeHeaders: [String] = []
    private let configuration: WebSocketConfiguration
    private let pool = CompressionPool()
    /// Only computes the answer's headers.
    private let handshake: NIOTypedWebSocketServerUpgrader<Void>

    init(configuration: WebSocketConfiguration) {
        self.configuration = configuration
        self.handshake = NIOTypedWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    let gate = try channel.pipeline.syncOperations.handler(type: UpgradeGate.self)
                    guard let agreement = gate.accepted?.upgrade.agreement else { return HTTPHeaders() }
                    return HTTPHeaders([("Sec-WebSocket-Extensions", agreement.answer)])
                }
            },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() }
        )
    }

    func buildUpgradeResponse(
        channel: any Channel,
        upgradeRequest: HTTPRequestHead,
        initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        self.handshake.buildUpgradeResponse(
            channel: channel,
            upgradeRequest: upgradeRequest,
            initialResponseHeaders: initialResponseHeaders
        )
    }

    func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<UpgradeResult> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let gate = try pipeline.handler(type: UpgradeGate.self)
            guard let (accepted, isQuiescing) = gate.accepted else { throw ChannelError.inappropriateOperationForState }
            let handler = WebSocketHandler(
                role: .server,
                request: accepted.request,
                channel: channel,
                configuration: self.configuration,
                agreement: accepted.agreement,
                pool: self.pool
            )
            try pipeline.addHandler(handler)
            pipeline.removeHandler(gate, promise: nil)
            self.limitSilence(on: channel)
            if isQuiescing { handler.close(code: .goingAway, reason: "server is shutting down") }
            return .webSocket(handler.connection, accepted.handler)
        }
    }

    /// Lets the kernel give up a peer that acknowledges nothing, as long as our own pings would take.
    ///
    /// Ours cannot tell while a lagging handler keeps the socket from being read.
    private func limitSilence(on channel: any Channel) {
        #if os(Linux)
        let limit = self.configuration.pingInterval * 3
        guard limit > .zero else { return }
        let milliseconds = TimeAmount(limit).nanoseconds / 1_000_000
        let option = NIOBSDSocket.Option(rawValue: CInt(TCP_USER_TIMEOUT))
        // A unix socket refuses: its peer cannot vanish without notice.
        try? channel.syncOptions?.setOption(.tcpOption(option), value: SocketOptionValue(milliseconds))
        #endif
    }
}
