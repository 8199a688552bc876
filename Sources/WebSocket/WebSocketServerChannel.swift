package import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1
package import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOPosix

/// One accepted connection: HTTP/1.1 for Hummingbird's responder, until its first request becomes a WebSocket.
///
/// Only the first request of a connection can be upgraded; on a connection that already served a request the router
/// answers. Browsers open a connection of their own; a reverse proxy must not reuse one.
package struct WebSocketServerChannel: ServerChildChannel, HTTPChannelHandler {
    package typealias HTTPChannel = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// What the connection turned out to speak.
    package enum Spoken: Sendable {
        case http(HTTPChannel)
        case webSocket(WebSocketConnection, @Sendable (WebSocketConnection) async -> Void)
    }

    package struct Value: ServerChildChannelValue {
        package let channel: any Channel
        let spoken: EventLoopFuture<Spoken>
    }

    package let responder: HTTPChannelHandler.Responder
    private let configuration: WebSocketConfiguration
    private let limits: HTTPLimits
    private let decide: WebSocketDecider
    private let upgrader: WebSocketUpgrader

    package init(
        responder: @escaping HTTPChannelHandler.Responder,
        configuration: WebSocketConfiguration,
        limits: HTTPLimits,
        decide: @escaping WebSocketDecider
    ) {
        self.responder = responder
        self.configuration = configuration
        self.limits = limits
        self.decide = decide
        self.upgrader = WebSocketUpgrader(configuration: configuration)
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            // Tokens are small and must not wait for an acknowledgement. A unix socket refuses, and needs it not.
            try? channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
            return Value(channel: channel, spoken: try self.addHandlers(to: channel, logger: logger))
        }
    }

    package func handle(value: Value, logger: Logger) async {
        let spoken = await withTaskCancellationHandler {
            try? await value.spoken.get()
        } onCancel: {
            value.channel.close(promise: nil)
        }
        switch spoken {
        case .http(let channel):
            await self.handleHTTP(asyncChannel: channel, logger: logger)
        case .webSocket(let connection, let handler):
            await self.serve(connection, with: handler)
        case nil:
            // Nothing was asked, or the upgrade broke: the client went away.
            value.channel.close(promise: nil)
        }
    }

    /// Runs the handler until it returns or the socket has ended and some time to finish has passed.
    private func serve(
        _ connection: WebSocketConnection,
        with handler: @escaping @Sendable (WebSocketConnection) async -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await handler(connection)
                await connection.close(code: .normal)
            }
            await withTaskCancellationHandler {
                await connection.waitForEnd()
            } onCancel: {
                connection.abort()
            }
            group.addTask { [grace = self.configuration.finishTimeout] in
                try? await Task.sleep(for: grace)
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func addHandlers(to channel: any Channel, logger: Logger) throws -> EventLoopFuture<Spoken> {
        let encoder = HTTPResponseEncoder()
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderFieldSize = self.limits.headerBytesMax
        decoderLimits.maxHeaderListSize = self.limits.headerBytesMax
        decoderLimits.maxHeaderFieldCount = self.limits.headerFieldsMax
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: decoderLimits)
        )
        let deadline = RequestHeadDeadline(limits: self.limits)
        let gate = UpgradeGate(limits: self.limits, compresses: self.configuration.compression, decide: self.decide)
        // The deadline leaves before the decoder does, which then passes on bytes; the gate knows that they are none.
        let upgrade = NIOTypedHTTPServerUpgradeHandler(
            httpEncoder: encoder,
            extraHTTPHandlers: [deadline, decoder],
            upgradeConfiguration: NIOTypedHTTPServerUpgradeConfiguration(upgraders: [self.upgrader]) { channel in
                channel.eventLoop.makeCompletedFuture { try self.addHTTPHandlers(to: channel, logger: logger) }
            }
        )
        try channel.pipeline.syncOperations.addHandlers([encoder, decoder, deadline, gate, upgrade])
        return upgrade.upgradeResultFuture
    }

    private func addHTTPHandlers(to channel: any Channel, logger: Logger) throws -> Spoken {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: self.limits.idleTimeout, logger: logger))
        return .http(
            try HTTPChannel(
                wrappingChannelSynchronously: channel,
                configuration: .init(isOutboundHalfClosureEnabled: true)
            )
        )
    }
}
