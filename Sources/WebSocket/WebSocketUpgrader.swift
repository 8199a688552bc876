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
            self.tune(channel)
            if isQuiescing { handler.close(code: .goingAway, reason: "server is shutting down") }
            return .webSocket(handler.connection, accepted.handler)
        }
    }

    /// Makes the kernel tell us early how far the peer lags, and give up a peer that acknowledges nothing.
    ///
    /// Else megabytes wait unseen in its send buffer, out of reach of `unsentBytes` and of the write timeout; and our own
    /// pings cannot tell a dead peer while a lagging handler keeps the socket from being read. A unix socket refuses
    /// both: its peer cannot vanish without notice.
    private func tune(_ channel: any Channel) {
        #if os(Linux)
            let silenceMax = TimeAmount(self.configuration.pingInterval * 3).nanoseconds / 1_000_000
            let options = [
                (name: TCP_NOTSENT_LOWAT, value: self.configuration.unsentBytesMax),
                (name: TCP_USER_TIMEOUT, value: Int(silenceMax)),
            ]
            for option in options where option.value > 0 {
                let name = NIOBSDSocket.Option(rawValue: CInt(option.name))
                try? channel.syncOptions?.setOption(.tcpOption(name), value: SocketOptionValue(option.value))
            }
        #endif
    }
}
