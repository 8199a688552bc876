import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// The client's side of an upgrade, for one connection.
struct WebSocketClientUpgrader: NIOTypedHTTPClientProtocolUpgrader {
    /// What the server answered.
    enum UpgradeResult: Sendable {
        case open(WebSocketConnection)
        case refused(EventLoopFuture<HTTPResponseStatus>)
    }

    let supportedProtocol = "websocket"
    let requiredUpgradeHeaders: [String] = []
    private let request: HTTPRequest
    private let configuration: WebSocketConfiguration
    /// Only makes the key and checks the answer to it.
    private let handshake: NIOWebSocketClientUpgrader

    init(request: HTTPRequest, configuration: WebSocketConfiguration) {
        self.request = request
        self.configuration = configuration
        self.handshake = NIOWebSocketClientUpgrader { channel, _ in channel.eventLoop.makeSucceededVoidFuture() }
    }

    func addCustom(upgradeRequestHeaders: inout HTTPHeaders) {
        self.handshake.addCustom(upgradeRequestHeaders: &upgradeRequestHeaders)
        guard self.configuration.compression else { return }
        upgradeRequestHeaders.add(name: "Sec-WebSocket-Extensions", value: DeflateAgreement.clientOffer)
    }

    func shouldAllowUpgrade(upgradeResponse: HTTPResponseHead) -> Bool {
        self.handshake.shouldAllowUpgrade(upgradeResponse: upgradeResponse)
            && (Self.extensions(in: upgradeResponse).isEmpty || self.agreement(in: upgradeResponse) != nil)
    }

    func upgrade(channel: any Channel, upgradeResponse: HTTPResponseHead) -> EventLoopFuture<UpgradeResult> {
        channel.eventLoop.makeCompletedFuture {
            let handler = WebSocketHandler(
                role: .client,
                request: self.request,
                channel: channel,
                configuration: self.configuration,
                agreement: self.agreement(in: upgradeResponse),
                pool: WebSocketClient.compressionPool
            )
            try channel.pipeline.syncOperations.addHandler(handler)
            return .open(handler.connection)
        }
    }

    /// Nil when compression was neither offered nor answered as offered.
    private func agreement(in response: HTTPResponseHead) -> DeflateAgreement? {
        self.configuration.compression ? DeflateAgreement(answer: Self.extensions(in: response)) : nil
    }

    private static func extensions(in response: HTTPResponseHead) -> String {
        response.headers["sec-websocket-extensions"].joined(separator: ",")
    }
}
